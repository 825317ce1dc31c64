module github.com/plumb-k8s/plumb/orchestrator/api/schema/generate

go 1.26.6

require (
	golang.org/x/tools v0.47.0
	k8s.io/gengo/v2 v2.0.0-20260408192533-25e2208e0dc3
)

require (
	github.com/go-logr/logr v1.4.3 // indirect
	golang.org/x/mod v0.37.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
	k8s.io/api v0.37.2 // indirect
	k8s.io/apiextensions-apiserver v0.37.2 // indirect
	k8s.io/apimachinery v0.37.2 // indirect
	k8s.io/klog/v2 v2.140.0 // indirect
	k8s.io/kube-aggregator v0.37.2 // indirect
)
