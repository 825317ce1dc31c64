package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// replaceable are the components that the node contract lets another executable take the place of.
var replaceable = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"}

// overridesOf checks the values of --component and makes their paths absolute. A name that no node runs would be mounted, never started, and the
// verdict would be about our own component: it is refused.
func overridesOf(components map[string]string) (map[string]string, error) {
	overrides := map[string]string{}
	for _, component := range slices.Sorted(maps.Keys(components)) {
		path := components[component]
		if !slices.Contains(replaceable, component) {
			return nil, fmt.Errorf("--component %s=%s: no such component; there are %s", component, path, strings.Join(replaceable, ", "))
		}
		abs, err := executable(path)
		if err != nil {
			return nil, fmt.Errorf("--component %s=%s: %w", component, path, err)
		}
		overrides[component] = abs
	}
	return overrides, nil
}

// executable is the absolute path of a file that can be run.
func executable(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(abs)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", errors.New("there is no such file")
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", errors.New("that is no file: give the path of an executable")
	case info.Mode()&0o111 == 0:
		return "", errors.New("that file is not executable: chmod +x it")
	}
	return abs, nil
}
