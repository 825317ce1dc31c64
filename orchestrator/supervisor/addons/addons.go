package addons

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/api"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
)

// retries are the pauses after attempts that left something undone: an apiserver that starts, a node that has not registered. They grow, because a
// node may never come.
func retries() wait.Backoff {
	return wait.Backoff{Duration: 100 * time.Millisecond, Factor: 1.2, Cap: time.Second, Steps: math.MaxInt32}
}

// Apply makes the add-ons and marks the nodes; it returns when all is done or ctx ends. applied is called when the objects are there.
func Apply(ctx context.Context, client *api.Client, c *description.Cluster, logger *slog.Logger, applied func()) error {
	left, err := objects(c)
	if err != nil {
		return err
	}
	nodes := c.Nodes
	pause := retries()
	for {
		if len(left) > 0 {
			if left = create(ctx, client, left, logger); len(left) == 0 {
				applied()
			}
		}
		nodes = mark(ctx, client, nodes, logger)
		if len(left)+len(nodes) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause.Step()):
		}
	}
}

// create makes what is missing of objects, in order, and returns those that are still to be made.
func create(ctx context.Context, client *api.Client, left []object, logger *slog.Logger) []object {
	for i, o := range left {
		if err := ensure(ctx, client, o); err != nil {
			logger.Debug("add-on not made yet", "error", err)
			return left[i:]
		}
	}
	return nil
}

// ensure makes an object unless it is there. It asks first: a Service that is there is not refused for its name, as other objects are, but for its
// address, like one whose address another Service has.
func ensure(ctx context.Context, client *api.Client, o object) error {
	err := client.Get(ctx, o.path(), nil)
	if !api.IsCode(err, http.StatusNotFound) {
		return err
	}
	return client.Create(ctx, o.collection, o.body)
}

// mark labels and taints the nodes that have registered and returns the others.
func mark(ctx context.Context, client *api.Client, nodes []description.Node, logger *slog.Logger) []description.Node {
	var left []description.Node
	for _, n := range nodes {
		if err := markNode(ctx, client, n); err != nil {
			if !api.IsCode(err, http.StatusNotFound) {
				logger.Debug("node not marked yet", "node", n.Name, "error", err)
			}
			left = append(left, n)
		}
	}
	return left
}

// registered is what matters here of a Node.
type registered struct {
	Metadata struct {
		ResourceVersion string
		Labels          map[string]string
	}
	Spec struct {
		Taints []map[string]any
	}
}

func markNode(ctx context.Context, client *api.Client, n description.Node) error {
	path := "/api/v1/nodes/" + n.Name
	var node registered
	if err := client.Get(ctx, path, &node); err != nil {
		return err
	}
	patch := markPatch(n, node)
	if patch == nil {
		return nil
	}
	return client.Patch(ctx, path, patch)
}
