package ha

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
)

// newDeployment creates a Deployment of one pod and waits until the pod has a node: the controllers and the scheduler work. Writes must have come
// back by then, too; the other budget begins when the Deployment is acknowledged.
func newDeployment(ctx context.Context, s *scene.Scene, api kubernetes.Interface, name string) {
	GinkgoHelper()
	scene.Within(ctx, budget.WritesBack, time.Now(), "Deployment "+name+" is acknowledged", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, budget.Call.Limit())
		defer cancel()
		_, err := api.AppsV1().Deployments(s.Namespace).Create(ctx, s.Deployment(name, 1), metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			return nil // an earlier attempt whose answer was lost
		}
		return err
	})
	scene.Within(ctx, budget.ControllersBack, time.Now(), "Deployment "+name+" has its ReplicaSet, and its pod a node", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, budget.Call.Limit())
		defer cancel()
		pods, err := api.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + name})
		if err != nil {
			return err
		}
		if len(pods.Items) != 1 || pods.Items[0].Spec.NodeName == "" {
			return fmt.Errorf("%d pods of %s, or it has no node", len(pods.Items), name)
		}
		return nil
	})
}
