package podspec_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

// warned are pods, of which containers lacks name and image, with what stock says of them; a template gets the same with its path before it.
var warned = []struct{ pod, want string }{
	{`spec: {}`, ""},
	{`spec: {containers: [{env: [{name: A, value: "1"}, {name: B}, {name: A, value: "2"}, {name: A, value: "3"}]}]}`,
		`spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply
spec.containers[0].env[3]: hides previous definition of "A", which may be dropped when using apply`},
	{`spec: {containers: [{env: [{name: A, value: "$(A)"}, {name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: A, value: "x$(A)"}, {name: A, value: "$$(A)"}]}]}`,
		`spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply`},
	{`spec: {containers: [{ports: [{containerPort: 80}, {containerPort: 80}, {containerPort: 80, protocol: UDP}, {name: n, containerPort: 80}]}]}`,
		`spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]
spec.containers[0].ports[3]: duplicate port definition with spec.containers[0].ports[0]
spec.containers[0].ports[3]: duplicate port definition with spec.containers[0].ports[1]`},
	{`spec: {initContainers: [{ports: [{name: a, containerPort: 80}]}], containers: [{ports: [{name: a, containerPort: 80}]}]}`,
		`spec.containers[0].ports[0]: duplicate port definition with spec.initContainers[0].ports[0]
spec.containers[0].ports[0]: duplicate port name "a" with spec.initContainers[0].ports[0], services and probes that select ports by name will use spec.initContainers[0].ports[0]`},
	{`spec: {containers: [{ports: [{containerPort: 80, hostPort: 80, hostIP: 1.2.3.4}, {containerPort: 80, hostIP: 1.2.3.4}]}]}`,
		`spec.containers[0].ports[1]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:1.2.3.4}
spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]`},
	{`spec: {containers: [{ports: [{containerPort: 80, hostPort: 80, hostIP: 1.2.3.4}, {containerPort: 80, hostPort: 80, hostIP: 1.2.3.5}, {containerPort: 80, hostPort: 80}]}]}`,
		`spec.containers[0].ports[2]: dangerously ambiguous port definition with spec.containers[0].ports[0]
spec.containers[0].ports[2]: dangerously ambiguous port definition with spec.containers[0].ports[1]`},
	{`spec: {containers: [{ports: [{containerPort: 80, hostPort: 8080, hostIP: 1.2.3.4}, {containerPort: 80, hostPort: 8080, hostIP: 1.2.3.5}, {containerPort: 80, hostPort: 8081}]}]}`, ""},
	{`spec: {containers: [{resources: {requests: {memory: "1.5", ephemeral-storage: 100m, cpu: "1.5"}, limits: {memory: 2500m}}}]}`,
		`spec.containers[0].resources.limits[memory]: fractional byte value "2500m" is invalid, must be an integer
spec.containers[0].resources.requests[memory]: fractional byte value "1500m" is invalid, must be an integer
spec.containers[0].resources.requests[ephemeral-storage]: fractional byte value "100m" is invalid, must be an integer`},
	{`spec: {imagePullSecrets: [{name: ""}, {name: a}, {name: a}], hostAliases: [{ip: 1.2.3.4}, {ip: 1.2.3.4}]}`,
		`spec.hostAliases[1].ip: duplicate ip "1.2.3.4"
spec.imagePullSecrets[2].name: duplicate name "a"
spec.imagePullSecrets[0].name: invalid empty name ""`},
	{`spec: {topologySpreadConstraints: [{topologyKey: beta.kubernetes.io/os}]}`,
		`spec.topologySpreadConstraints[0].topologyKey: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead
spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod`},
	{`spec: {affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{podAffinityTerm: {topologyKey: z}}]}}}`,
		`spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod`},
	{`{metadata: {annotations: {container.seccomp.security.alpha.kubernetes.io/c: x, container.apparmor.security.beta.kubernetes.io/c: unconfined, security.alpha.kubernetes.io/sysctls: a}}, spec: {containers: [{}]}}`,
		`metadata.annotations[security.alpha.kubernetes.io/sysctls]: non-functional in v1.11+; use the "sysctls" field instead
metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]: non-functional in v1.27+; use the "seccompProfile" field instead
metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the "appArmorProfile" field instead`},
	{`{metadata: {annotations: {container.apparmor.security.beta.kubernetes.io/c: unconfined}}, spec: {containers: [{securityContext: {appArmorProfile: {type: Unconfined}}}]}}`, ""},
	{`spec: {volumes: [{name: v, storageos: {}}, {name: w, ephemeral: {volumeClaimTemplate: {spec: {resources: {requests: {storage: "1.5"}}}}}}]}`,
		`spec.volumes[0].storageOS: deprecated in v1.22, non-functional in v1.25+
spec.volumes[1].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer`},
	{`{metadata: {annotations: {seccomp.security.alpha.kubernetes.io/pod: runtime/default, scheduler.alpha.kubernetes.io/critical-pod: ""}}, spec: {
		nodeSelector: {beta.kubernetes.io/os: linux}, hostAliases: [{ip: 1.2.3.4}, {ip: 1.2.3.4}], imagePullSecrets: [{name: ""}], topologySpreadConstraints: [{topologyKey: z}],
		volumes: [{name: v, gitRepo: {repository: r}}], dnsConfig: {nameservers: ["2001:DB8::1"]}, affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: z}]},
		nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{preference: {matchExpressions: [{key: beta.kubernetes.io/arch}]}}]}},
		containers: [{env: [{name: A}, {name: A}], ports: [{containerPort: 80}, {containerPort: 80}], resources: {requests: {memory: 1500m}}}]}}`,
		`spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead
spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key: beta.kubernetes.io/arch is deprecated since v1.14; use "kubernetes.io/arch" instead
spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod
metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead
spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+
spec.hostAliases[1].ip: duplicate ip "1.2.3.4"
spec.imagePullSecrets[0].name: invalid empty name ""
metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead
spec.containers[0].resources.requests[memory]: fractional byte value "1500m" is invalid, must be an integer
spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply
spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]
spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod
spec.dnsConfig.nameservers[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")`},
}

func TestWarnings(t *testing.T) {
	for _, row := range warned {
		p := &corev1.Pod{}
		p.Name = "p"
		if err := yaml.Unmarshal([]byte(row.pod), p); err != nil {
			t.Fatalf("%s: %v", row.pod, err)
		}
		for i := range p.Spec.Containers {
			p.Spec.Containers[i].Name = "c"
		}
		podspec.Default(&p.Spec)
		var want []string
		if row.want != "" {
			want = strings.Split(row.want, "\n")
		}
		compare(t, podspec.PodWarnings(p), want)
		template := &corev1.PodTemplateSpec{ObjectMeta: p.ObjectMeta, Spec: p.Spec}
		for i := range want {
			before, rest, _ := strings.Cut(want[i], ": ")
			want[i] = "spec.template." + before + ": " + strings.ReplaceAll(strings.ReplaceAll(rest, "spec.init", "spec.template.spec.init"), "spec.containers", "spec.template.spec.containers")
		}
		compare(t, podspec.TemplateWarnings(template, field.NewPath("spec", "template")), want)
	}
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		g, _ := json.MarshalIndent(got, "", " ")
		w, _ := json.MarshalIndent(want, "", " ")
		t.Errorf("got %s\nwant %s", g, w)
	}
}

func TestWarningsOfVolumes(t *testing.T) {
	for volume, want := range map[string][]string{
		`{configMap: {name: b, items: [{key: k, path: p/q}, {key: l, path: p}]}}`:                                     {`volume "v" (ConfigMap "b"): overlapping paths: "p" with "p/q"`},
		`{secret: {secretName: b, items: [{key: k, path: p}, {key: l, path: p}]}}`:                                    {`volume "v" (Secret "b"): overlapping paths: "p" with "p"`},
		`{projected: {sources: [{}]}}`:                                                                                {`volume "v" (Projected) has no sources provided`},
		`{projected: {sources: [{configMap: {name: a}}, {serviceAccountToken: {path: token}}, {secret: {name: c}}]}}`: nil,
		`{projected: {sources: [{downwardAPI: {items: [{path: p/x}]}}, {configMap: {name: a, items: [{key: k, path: p}]}}, {serviceAccountToken: {path: p/x/y}}]}}`: {
			`volume "v" (Projected): overlapping paths: "p" (ConfigMap "a") with "p/x" (DownwardAPI)`,
			`volume "v" (Projected): overlapping paths: "p/x/y" (ServiceAccountToken) with "p/x" (DownwardAPI)`,
			`volume "v" (Projected): overlapping paths: "p/x/y" (ServiceAccountToken) with "p" (ConfigMap "a")`},
	} {
		v := corev1.Volume{}
		if err := yaml.Unmarshal([]byte(volume), &v); err != nil {
			t.Fatal(err)
		}
		v.Name = "v"
		p := &corev1.Pod{Spec: corev1.PodSpec{Volumes: []corev1.Volume{v}}}
		p.Name = "p"
		compare(t, podspec.PodWarnings(p), want)
	}
}

func TestWarningsOfNames(t *testing.T) {
	const use = ", which can result in surprising behavior; a DNS label is recommended: "
	for name, want := range map[string]string{"a-b": "", "a.b": "[must not contain dots]", strings.Repeat("a", 64): "[must be no more than 63 characters]"} {
		var pod, workload []string
		if want != "" {
			pod, workload = []string{"metadata.name: this is used in the Pod's hostname" + use + want}, []string{"metadata.name: this is used in Pod names and hostnames" + use + want}
		}
		p := &corev1.Pod{}
		p.Name = name
		compare(t, podspec.PodWarnings(p), pod)
		compare(t, podspec.WorkloadNameWarnings(name), workload)
	}
}
