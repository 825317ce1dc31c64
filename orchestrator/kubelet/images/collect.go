package images

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// CollectEvery is the time between two looks at the disk of images.
const CollectEvery = 5 * time.Minute

// Runtime keeps images and runs containers from them.
type Runtime interface {
	ListImages(ctx context.Context, filter *runtimeapi.ImageFilter) ([]*runtimeapi.Image, error)
	ImageStatus(ctx context.Context, image *runtimeapi.ImageSpec, verbose bool) (*runtimeapi.ImageStatusResponse, error)
	ListContainers(ctx context.Context, filter *runtimeapi.ContainerFilter) ([]*runtimeapi.Container, error)
	RemoveImage(ctx context.Context, image *runtimeapi.ImageSpec) error
}

// Collector removes images that no container uses when their disk fills up, the one unused for longest first.
type Collector struct {
	Client Runtime
	// Mounted names the images that pods have as volumes: no container is made from them.
	Mounted func() []string
	// High and Low are percentages of the disk: above High, images go until Low is reached. High 100 switches it off.
	High, Low int32
	// MinAge is how long an image must have been here, MaxAge how long it may stay unused; MaxAge 0 is no bound.
	MinAge, MaxAge time.Duration
	// Disk is the size of the file system of images and what is available of it, in bytes.
	Disk   func(ctx context.Context) (capacity, available int64, err error)
	Event  func(kind, reason, message string)
	Now    func() time.Time
	Logger *slog.Logger

	mu   sync.Mutex
	seen map[string]record
}

// record of an image: since when it is known, and when it was last in use.
type record struct{ first, used time.Time }

// Run collects until ctx ends.
func (c *Collector) Run(ctx context.Context) {
	tick := time.NewTicker(CollectEvery)
	defer tick.Stop()
	for {
		if err := c.Look(ctx); err != nil && ctx.Err() == nil {
			c.Event("Warning", "ImageGCFailed", err.Error())
			c.Logger.Warn("collect images", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Look notes which images are in use, and frees space if the disk is too full.
func (c *Collector) Look(ctx context.Context) error {
	capacity, available, err := c.Disk(ctx)
	if err != nil {
		return fmt.Errorf("the disk of images: %w", err)
	}
	if capacity <= 0 {
		return fmt.Errorf("invalid capacity %d on image filesystem", capacity)
	}
	used := 100 - available*100/capacity
	wanted := int64(0)
	if c.High < 100 && used >= int64(c.High) {
		wanted = capacity*int64(100-c.Low)/100 - available
	}
	freed, err := c.free(ctx, wanted)
	if err == nil && freed < wanted {
		c.Event("Warning", "FreeDiskSpaceFailed", fmt.Sprintf("Failed to garbage collect required amount of images. Attempted to free %d bytes, but only found %d bytes eligible to free.", wanted, freed))
	}
	return err
}

// Everything removes all images that nobody uses: the node is short of disk space.
func (c *Collector) Everything(ctx context.Context) error {
	_, err := c.free(ctx, 1<<62)
	return err
}

func (c *Collector) free(ctx context.Context, wanted int64) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	present, err := c.Client.ListImages(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("list images: %w", err)
	}
	inUse, err := c.inUse(ctx)
	if err != nil {
		return 0, err
	}
	c.note(present, inUse)
	var freed int64
	var errs []error
	for _, image := range victims(present, inUse, c.seen, c.Now(), c.MinAge, c.MaxAge, wanted) {
		c.Logger.Info("remove an image that nobody uses", "image", image.Id, "bytes", image.Size)
		if err := c.Client.RemoveImage(ctx, &runtimeapi.ImageSpec{Image: image.Id}); err != nil {
			errs = append(errs, fmt.Errorf("remove image %s: %w", image.Id, err)) // others can still go
			continue
		}
		delete(c.seen, image.Id)
		freed += int64(image.Size)
	}
	return freed, errors.Join(errs...)
}

// inUse are the images of all containers, ended ones too, and of mounted volumes, by every name that the runtime has for them.
func (c *Collector) inUse(ctx context.Context) (map[string]bool, error) {
	containers, err := c.Client.ListContainers(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	used := map[string]bool{}
	for _, one := range containers {
		used[one.ImageId], used[one.ImageRef], used[one.GetImage().GetImage()] = true, true, true
	}
	for _, name := range c.Mounted() {
		status, err := c.Client.ImageStatus(ctx, &runtimeapi.ImageSpec{Image: name}, false)
		if err != nil {
			return nil, fmt.Errorf("look for image %s: %w", name, err)
		}
		used[status.GetImage().GetId()] = true
	}
	delete(used, "")
	return used, nil
}

// note keeps the records of the images that are present.
func (c *Collector) note(present []*runtimeapi.Image, inUse map[string]bool) {
	now, fresh := c.Now(), map[string]record{}
	for _, image := range present {
		r, known := c.seen[image.Id]
		if !known {
			r = record{first: now}
		}
		if used(image, inUse) {
			r.used = now
		}
		fresh[image.Id] = r
	}
	c.seen = fresh
}

func used(image *runtimeapi.Image, inUse map[string]bool) bool {
	named := func(name string) bool { return inUse[name] }
	return inUse[image.Id] || slices.ContainsFunc(image.RepoTags, named) || slices.ContainsFunc(image.RepoDigests, named)
}

// victims frees wanted bytes, and takes what is unused for longer than maxAge in any case. Pinned images (the sandbox's) stay.
func victims(present []*runtimeapi.Image, inUse map[string]bool, seen map[string]record, now time.Time, minAge, maxAge time.Duration, wanted int64) []*runtimeapi.Image {
	var candidates []*runtimeapi.Image
	for _, image := range present {
		if !image.Pinned && !used(image, inUse) && now.Sub(seen[image.Id].first) >= minAge {
			candidates = append(candidates, image)
		}
	}
	slices.SortStableFunc(candidates, func(a, b *runtimeapi.Image) int {
		ra, rb := seen[a.Id], seen[b.Id]
		return cmp.Or(ra.used.Compare(rb.used), ra.first.Compare(rb.first))
	})
	var chosen []*runtimeapi.Image
	var sum int64
	for _, image := range candidates {
		r := seen[image.Id]
		last := r.used
		if last.IsZero() {
			last = r.first
		}
		if sum < wanted || (maxAge > 0 && now.Sub(last) > maxAge) {
			chosen = append(chosen, image)
			sum += int64(image.Size)
		}
	}
	return chosen
}
