package images

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
)

// WithTag completes a reference with :latest where it has neither tag nor digest.
func WithTag(image string) (string, error) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return "", fmt.Errorf("parse image name %q: %w", image, err)
	}
	if _, digested := named.(reference.Digested); digested {
		return image, nil
	}
	if reference.IsNameOnly(named) {
		return image + ":latest", nil
	}
	return image, nil
}

// registryAndPath of an image, in the form credentials are written for: host/path.
func registryAndPath(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return image
	}
	return strings.TrimSuffix(named.Name(), "/")
}
