package podspec_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

// The rows are what stock answers, where it names an element of a list and where it does not.
func TestFaultsOfAPod(t *testing.T) {
	const mounts, sources = `{volumes: [{name: v}], containers: [{name: c, image: x, volumeMounts: [{name: v, mountPath: /a}, `, `{containers: [{name: c, image: x}], volumes: [{name: v, projected: {sources: [`
	for spec, want := range map[string]string{
		mounts + `{name: v, mountPath: /b, subPath: ../y}]}]}`:                                                                                                  `spec.containers[0].volumeMounts.subPath: Invalid value: "../y": must not contain '..'`,
		mounts + `{name: v, mountPath: /b, subPath: a, subPathExpr: b}]}]}`:                                                                                     `spec.containers[0].volumeMounts[1].subPathExpr: Invalid value: "b": subPathExpr and subPath are mutually exclusive`,
		mounts + `{name: v, mountPath: /b, mountPropagation: Bidirectional}]}]}`:                                                                                `spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers`,
		mounts + `{name: v, mountPath: /b, recursiveReadOnly: Enabled}]}]}`:                                                                                     `spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true`,
		mounts + `{name: q, mountPath: /b}]}]}`:                                                                                                                 `spec.containers[0].volumeMounts[1].name: Not found: "q"`,
		mounts + `{name: v, mountPath: /a}]}]}`:                                                                                                                 `spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique`,
		sources + `{serviceAccountToken: {path: p}}, {serviceAccountToken: {path: p}}]}}]}`:                                                                     "",
		sources + `{configMap: {name: a, items: [{key: k, path: p}]}}, {secret: {name: b, items: [{key: k, path: p}]}}]}}]}`:                                    `spec.volumes[0].projected: Invalid value: "b": conflicting duplicate paths`,
		sources + `{downwardAPI: {items: [{path: ok, fieldRef: {fieldPath: metadata.labels}}, {path: /a, fieldRef: {fieldPath: metadata.uid}}]}}]}}]}`:          `spec.volumes[0].projected.sources[0].downwardAPI.path: Invalid value: "/a": must be a relative path`,
		`{containers: [{name: c, image: x, resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}, {resourceName: cpu, restartPolicy: NotRequired}]}]}`: `spec.containers[0].resizePolicy[1]: Duplicate value: "cpu"`,
		`{restartPolicy: Never, containers: [{name: c, image: x, resizePolicy: [{resourceName: cpu, restartPolicy: RestartContainer}]}]}`:                       "spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when pod `restartPolicy` is 'Never'",
		`{containers: [{name: c, image: x}], dnsConfig: {nameservers: ["2001:DB8::1"], searches: [a_b.c, ., b.c.]}}`:                                            "",
		`{containers: [{name: c, image: x}], dnsConfig: {nameservers: ["::ffff:1.2.3.4"]}}`:                                                                     `spec.dnsConfig.nameservers[0]: Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address`,
		`{containers: [{name: c, image: x, resources: {limits: {hugepages-2Mi: 3Mi, cpu: "1"}}}]}`:                                                              `spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
	} {
		s := &corev1.PodSpec{}
		if err := yaml.Unmarshal([]byte(spec), s); err != nil {
			t.Fatalf("%s: %v", spec, err)
		}
		podspec.Default(s)
		got := ""
		if err := podspec.Validate(s, field.NewPath("spec")).ToAggregate(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", spec, got, want)
		}
	}
}
