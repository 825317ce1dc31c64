package apiserver

import (
	"net/http"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
)

func TestPluginFlags(t *testing.T) {
	for name, c := range map[string]struct{ enable, disable, want string }{
		"unknown":                  {"Nonsense", "", `enable-admission-plugins plugin "Nonsense" is unknown`},
		"unknown and disabled":     {"", "Nonsense", `disable-admission-plugins plugin "Nonsense" is unknown`},
		"not here":                 {"AlwaysPullImages", "", `enable-admission-plugins plugin "AlwaysPullImages" is not implemented`},
		"both":                     {"Priority", "Priority", `"Priority" is in both --enable-admission-plugins and --disable-admission-plugins`},
		"stock's default":          {"CertificateApproval,LimitRanger", "AlwaysPullImages", ""},
		"nothing to do here is ok": {"", "MutatingAdmissionWebhook", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var names [2][]string
			for i, list := range []string{c.enable, c.disable} {
				if list != "" {
					names[i] = strings.Split(list, ",")
				}
			}
			_, err := admission.NewChain(admission.Config{Enable: names[0], Disable: names[1]})
			if (err == nil) != (c.want == "") || (err != nil && err.Error() != c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestADisabledPluginDoesNothing(t *testing.T) {
	w := newWorld(t, "--disable-admission-plugins=ServiceAccount,Priority")
	w.namespace("room")
	body := w.must("", "POST", pods, pod("p", "")).Body
	if s := string(body); strings.Contains(s, "serviceAccountName") || strings.Contains(s, `"priority"`) {
		t.Errorf("the plugins ran: %s", s)
	}
}

const pods = "/api/v1/namespaces/room/pods"

// pod with one container; more is further spec.
func pod(name, more string) string {
	return "{apiVersion: v1, kind: Pod, metadata: {name: " + name + "}, spec: {containers: [{name: c, image: i}], " + more + "}}"
}

func TestLimitRanges(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	w.must("", "POST", "/api/v1/namespaces/room/limitranges", `
apiVersion: v1
kind: LimitRange
metadata: {name: l}
spec:
  limits:
  - {type: Container, min: {cpu: 50m, memory: 100Mi}, max: {cpu: 500m, memory: 500Mi}, default: {cpu: 500m, memory: 500Mi}, defaultRequest: {cpu: 100m, memory: 200Mi}, maxLimitRequestRatio: {cpu: "10"}}
  - {type: Pod, max: {cpu: 900m}}
  - {type: PersistentVolumeClaim, max: {storage: 2Gi}, min: {storage: 1Gi}}`)
	body := string(w.must("", "POST", pods, pod("filled", "")).Body)
	for _, want := range []string{
		`"kubernetes.io/limit-ranger":"LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c"`,
		`"limits":{"cpu":"500m","memory":"500Mi"}`, `"requests":{"cpu":"100m","memory":"200Mi"}`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	with := func(resources string) string {
		return "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i, resources: " + resources + "}]}}"
	}
	for resources, want := range map[string]string{
		"{requests: {cpu: 10m}, limits: {cpu: 100m}}":                `pods "p" is forbidden: minimum cpu usage per Container is 50m, but request is 10m`,
		"{requests: {cpu: 100m}, limits: {cpu: 600m}}":               `pods "p" is forbidden: maximum cpu usage per Container is 500m, but limit is 600m`,
		"{requests: {memory: 10Mi}, limits: {memory: 600Mi}}":        `pods "p" is forbidden: [minimum memory usage per Container is 100Mi, but request is 10Mi, maximum memory usage per Container is 500Mi, but limit is 600Mi]`,
		"{requests: {cpu: 49m, memory: 100Mi}, limits: {cpu: 500m}}": `pods "p" is forbidden: [minimum cpu usage per Container is 50m, but request is 49m, cpu max limit to request ratio per Container is 10, but provided ratio is 10.204082]`,
	} {
		w.refused(w.do("", "POST", pods, with(resources)), http.StatusForbidden, want)
	}
	two := "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}, {name: d, image: i}]}}"
	w.refused(w.do("", "POST", pods, two), http.StatusForbidden, `pods "p" is forbidden: maximum cpu usage per Pod is 900m, but limit is 1`)
	claim := func(size string) string {
		return "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: p}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: " + size + "}}}}"
	}
	path := "/api/v1/namespaces/room/persistentvolumeclaims"
	w.refused(w.do("", "POST", path, claim("3Gi")), http.StatusForbidden, `persistentvolumeclaims "p" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi`)
	w.refused(w.do("", "POST", path, claim("1Mi")), http.StatusForbidden, `persistentvolumeclaims "p" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi`)
	if body := string(w.must("", "POST", path, claim("1Gi")).Body); !strings.Contains(body, `"finalizers":["kubernetes.io/pvc-protection"]`) {
		t.Errorf("the claim is not protected: %s", body)
	}
}

func TestQuotas(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	quotas := "/api/v1/namespaces/room/resourcequotas"
	w.must("", "POST", quotas, "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: '2', requests.cpu: 300m, count/configmaps: '1'}}}")
	maps := "/api/v1/namespaces/room/configmaps"
	configMap := func(name string) string { return "{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + "}}" }
	w.must("", "POST", maps, configMap("before")) // the status does not say yet what is bounded
	status := `{"status":{"hard":{"pods":"2","requests.cpu":"300m","count/configmaps":"1"},"used":{"pods":"0","requests.cpu":"0","count/configmaps":"0"}}}`
	w.must("", "PATCH", quotas+"/q/status", status)
	w.must("", "GET", quotas, "") // what is listed has reached the cache that admission reads
	w.must("", "POST", maps, configMap("one"))
	w.refused(w.do("", "POST", maps, configMap("two")), http.StatusForbidden,
		`configmaps "two" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1`)
	w.refused(w.do("", "POST", pods, pod("p", "")), http.StatusForbidden, `pods "p" is forbidden: failed quota: q: must specify requests.cpu for: c`)
	asking := func(name, cpu string) string {
		return "{apiVersion: v1, kind: Pod, metadata: {name: " + name + "}, spec: {containers: [{name: c, image: i, resources: {requests: {cpu: " + cpu + "}}}]}}"
	}
	w.must("", "POST", pods+"?dryRun=All", asking("dry", "300m"))
	w.must("", "POST", pods, asking("a", "200m"))
	w.refused(w.do("", "POST", pods, asking("b", "200m")), http.StatusForbidden,
		`pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=200m, used: requests.cpu=200m, limited: requests.cpu=300m`)
	w.must("", "POST", pods, asking("b", "100m"))
	w.refused(w.do("", "POST", pods, asking("c", "1m")), http.StatusForbidden,
		`pods "c" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=1m, used: pods=2,requests.cpu=300m, limited: pods=2,requests.cpu=300m`)
	w.must("", "PATCH", pods+"/a", `{"metadata":{"labels":{"a":"b"}}}`) // an update that asks for no more is free
	if body := string(w.must("", "GET", quotas+"/q", "").Body); !strings.Contains(body, `"used":{"count/configmaps":"1","pods":"2","requests.cpu":"300m"}`) {
		t.Errorf("used: %s", body)
	}
}

// TestQuotaIsNeverOverdrawn: as many creates as there are, at once, and exactly the bound gets through.
func TestQuotaIsNeverOverdrawn(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	quotas := "/api/v1/namespaces/room/resourcequotas"
	w.must("", "POST", quotas, "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {configmaps: '5'}}}")
	w.must("", "PATCH", quotas+"/q/status", `{"status":{"hard":{"configmaps":"5"},"used":{"configmaps":"0"}}}`)
	w.must("", "GET", quotas, "")
	codes := make(chan int)
	for range 20 {
		go func() {
			codes <- w.do("", "POST", "/api/v1/namespaces/room/configmaps", "{apiVersion: v1, kind: ConfigMap, metadata: {generateName: m-}}").Code
		}()
	}
	made := 0
	for range 20 {
		switch code := <-codes; code {
		case http.StatusCreated:
			made++
		case http.StatusForbidden:
		default:
			t.Errorf("code %d", code)
		}
	}
	if made != 5 {
		t.Errorf("%d objects for a quota of 5", made)
	}
}

func TestPodSecurity(t *testing.T) {
	w := newWorld(t)
	w.namespace("room", "pod-security.kubernetes.io/enforce: baseline", "pod-security.kubernetes.io/warn: restricted")
	w.refused(w.do("", "POST", pods, pod("p", "hostNetwork: true")), http.StatusForbidden,
		`pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)`)
	warned := w.must("", "POST", pods, pod("p", ""))
	want := `299 - "would violate PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"c\" must set securityContext.allowPrivilegeEscalation=false), ` +
		`unrestricted capabilities (container \"c\" must set securityContext.capabilities.drop=[\"ALL\"]), ` +
		`runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true), ` +
		`seccompProfile (pod or container \"c\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")"`
	if len(warned.warnings()) != 1 || warned.warnings()[0] != want {
		t.Errorf("warnings %q\nwant %s", warned.warnings(), want)
	}
	deployment := "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}"
	if warned := w.must("", "POST", "/apis/apps/v1/namespaces/room/deployments", deployment); len(warned.warnings()) != 1 || warned.warnings()[0] != want {
		t.Errorf("warnings for a template %q", warned.warnings())
	}
	w.must("", "GET", pods, "")
	w.refused(w.do("", "PATCH", "/api/v1/namespaces/room", `{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"bogus"}}}`), http.StatusUnprocessableEntity,
		`Namespace "room" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "bogus": must be one of privileged, baseline, restricted`)
	strict := w.must("", "PATCH", "/api/v1/namespaces/room", `{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`)
	if len(strict.warnings()) != 2 || strict.warnings()[0] != `299 - "existing pods in namespace \"room\" violate the new PodSecurity enforce level \"restricted:latest\""` {
		t.Errorf("warnings of a stricter level %q", strict.warnings())
	}
}

func TestRuntimeClassGivesOverheadAndPlace(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	w.must("", "POST", "/apis/node.k8s.io/v1/runtimeclasses", "{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: r}, handler: h, overhead: {podFixed: {cpu: 5m}}, "+
		"scheduling: {nodeSelector: {a: b}, tolerations: [{key: k, operator: Exists}]}}")
	body := string(w.must("", "POST", pods, pod("p", "runtimeClassName: r")).Body)
	for _, want := range []string{`"overhead":{"cpu":"5m"}`, `"nodeSelector":{"a":"b"}`, `{"key":"k","operator":"Exists"}`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	w.refused(w.do("", "POST", pods, pod("q", "runtimeClassName: missing")), http.StatusForbidden, `pods "q" is forbidden: pod rejected: RuntimeClass "missing" not found`)
	w.refused(w.do("", "POST", pods, pod("q", "runtimeClassName: r, nodeSelector: {a: c}")), http.StatusForbidden,
		`pods "q" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = c`)
	w.refused(w.do("", "POST", pods, pod("q", "overhead: {cpu: 1m}")), http.StatusForbidden,
		`pods "q" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead`)
}

func TestDefaultClasses(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	w.must("", "POST", "/apis/storage.k8s.io/v1/storageclasses", "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: s, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}, provisioner: p}")
	w.must("", "POST", "/apis/networking.k8s.io/v1/ingressclasses", "{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: i, annotations: {ingressclass.kubernetes.io/is-default-class: 'true'}}, spec: {controller: a.io/b}}")
	w.must("", "GET", "/apis/networking.k8s.io/v1/ingressclasses", "")
	w.must("", "GET", "/apis/storage.k8s.io/v1/storageclasses", "")
	claims := "/api/v1/namespaces/room/persistentvolumeclaims"
	claim := w.must("", "POST", claims, "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}")
	if !strings.Contains(string(claim.Body), `"storageClassName":"s"`) {
		t.Errorf("claim: %s", claim.Body)
	}
	ingress := w.must("", "POST", "/apis/networking.k8s.io/v1/namespaces/room/ingresses", "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: c}, spec: {defaultBackend: {service: {name: s, port: {number: 80}}}}}")
	if !strings.Contains(string(ingress.Body), `"ingressClassName":"i"`) {
		t.Errorf("ingress: %s", ingress.Body)
	}
	w.must("", "PATCH", claims+"/c/status", `{"status":{"phase":"Bound"}}`)
	w.refused(w.do("", "PATCH", claims+"/c", `{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}`), http.StatusForbidden,
		`persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize`)
}
