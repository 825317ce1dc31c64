package apps

import (
	appsv1 "k8s.io/api/apps/v1"
)

// docs describes the columns of all workloads.
var docs = map[string]string{
	"Ready":         "Number of the pod with ready state",
	"Desired":       appsv1.ReplicaSetSpec{}.SwaggerDoc()["replicas"],
	"Current":       appsv1.ReplicaSetStatus{}.SwaggerDoc()["replicas"],
	"Up-to-date":    appsv1.DeploymentStatus{}.SwaggerDoc()["updatedReplicas"],
	"Available":     appsv1.DeploymentStatus{}.SwaggerDoc()["availableReplicas"],
	"Node Selector": "Labels that a node must have to run the pods.",
	"Containers":    "Names of each container in the template.",
	"Images":        "Images referenced by each container in the template.",
	"Selector":      appsv1.DeploymentSpec{}.SwaggerDoc()["selector"],
	"Controller":    "Controller of the object",
	"Revision":      appsv1.ControllerRevision{}.SwaggerDoc()["revision"],
}
