package images

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func TestVictimsAreUnusedForLongest(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	present := []*runtimeapi.Image{
		{Id: "running", Size: 100, RepoTags: []string{"r:v1"}}, {Id: "recent", Size: 100}, {Id: "old", Size: 100}, {Id: "never", Size: 100},
		{Id: "pause", Size: 100, Pinned: true}, {Id: "new", Size: 100},
	}
	seen := map[string]record{
		"running": {ago(time.Hour), now}, "recent": {ago(time.Hour), ago(time.Minute)}, "old": {ago(time.Hour), ago(30 * time.Minute)},
		"never": {first: ago(time.Hour)}, "pause": {first: ago(time.Hour)}, "new": {first: ago(time.Second)},
	}
	inUse := map[string]bool{"r:v1": true}
	for name, row := range map[string]struct {
		wanted int64
		maxAge time.Duration
		want   []string
	}{
		"enough space":           {0, 0, nil},
		"a little":               {50, 0, []string{"never"}},
		"more":                   {150, 0, []string{"never", "old"}},
		"everything":             {1 << 62, 0, []string{"never", "old", "recent"}},
		"too old, enough space":  {0, 20 * time.Minute, []string{"never", "old"}},
		"too old, none that old": {0, 2 * time.Hour, nil},
	} {
		var got []string
		for _, image := range victims(present, inUse, seen, now, 2*time.Minute, row.maxAge, row.wanted) {
			got = append(got, image.Id)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
}

// containerd answers as containerd 2.4 does: a container tells the digest of its image's configuration, by which images are listed, for both ids.
type containerd struct {
	images  []*runtimeapi.Image
	removed []string
	stuck   string
}

func (c *containerd) ListImages(context.Context, *runtimeapi.ImageFilter) ([]*runtimeapi.Image, error) {
	return c.images, nil
}

func (c *containerd) ListContainers(context.Context, *runtimeapi.ContainerFilter) ([]*runtimeapi.Container, error) {
	return []*runtimeapi.Container{{
		State: runtimeapi.ContainerState_CONTAINER_EXITED, ImageId: "sha256:echo", ImageRef: "sha256:echo", Image: &runtimeapi.ImageSpec{Image: "sha256:echo", UserSpecifiedImage: "docker.io/plumb/echo:v1"},
	}}, nil
}

func (c *containerd) ImageStatus(_ context.Context, image *runtimeapi.ImageSpec, _ bool) (*runtimeapi.ImageStatusResponse, error) {
	for _, one := range c.images {
		if slices.Contains(one.RepoTags, image.Image) {
			return &runtimeapi.ImageStatusResponse{Image: one}, nil
		}
	}
	return &runtimeapi.ImageStatusResponse{}, nil
}

func (c *containerd) RemoveImage(_ context.Context, image *runtimeapi.ImageSpec) error {
	if image.Image == c.stuck {
		return errors.New("stuck")
	}
	c.removed = append(c.removed, image.Image)
	return nil
}

func TestCollectsWhatNeitherContainersNorVolumesUse(t *testing.T) {
	runtime := &containerd{stuck: "sha256:stuck"}
	for _, name := range []string{"echo", "volume", "stuck", "idle"} {
		runtime.images = append(runtime.images, &runtimeapi.Image{Id: "sha256:" + name, Size: 10, RepoTags: []string{"docker.io/plumb/" + name + ":v1"}, RepoDigests: []string{"docker.io/plumb/" + name + "@sha256:index"}})
	}
	runtime.images = append(runtime.images, &runtimeapi.Image{Id: "sha256:pause", Size: 10, Pinned: true})
	now := time.Now()
	c := &Collector{
		Client: runtime, Mounted: func() []string { return []string{"docker.io/plumb/volume:v1", "docker.io/plumb/never-pulled:v1"} },
		High: 85, Low: 80, MinAge: time.Minute, Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
		Disk: func(context.Context) (int64, int64, error) { return 1000, 500, nil },
	}
	if err := c.Look(t.Context()); err != nil || len(runtime.removed) > 0 {
		t.Fatalf("with room enough: %v, %v", runtime.removed, err)
	}
	if err := c.Everything(t.Context()); err != nil || len(runtime.removed) > 0 {
		t.Fatalf("too young: %v, %v", runtime.removed, err)
	}
	now = now.Add(2 * time.Minute)
	if err := c.Everything(t.Context()); err == nil || !slices.Equal(runtime.removed, []string{"sha256:idle"}) {
		t.Errorf("removed %v, %v; want idle, and to hear of stuck", runtime.removed, err)
	}
}
