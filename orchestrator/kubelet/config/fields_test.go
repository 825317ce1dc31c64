package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
)

// About thirty fields were read and ignored.
func TestEveryFieldIsHonouredOrRefused(t *testing.T) {
	place := map[string]int{}
	for _, f := range honoured {
		place[f]++
	}
	for _, b := range bounds {
		place[b.field]++
	}
	for _, l := range leaves(reflect.ValueOf(&Config{}).Elem(), "") {
		if place[l.path] != 1 {
			t.Errorf("%s stands in %d lists, and must be in one: honoured or bounds", l.path, place[l.path])
		}
		delete(place, l.path)
	}
	for f := range place {
		t.Errorf("%s is no field of a KubeletConfiguration", f)
	}
}

// something sets a field to a value that is neither left out nor taken.
func something(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		something(v.Elem())
	case reflect.String:
		v.SetString("something")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(12345)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem())
	case reflect.Struct:
		something(v.Field(0))
	}
}

func TestAFieldOfBoundsIsRefusedByItsNameAndSaysWhatToDo(t *testing.T) {
	for _, b := range bounds {
		if len(b.takes) > 0 && b.takes[0] == anything {
			continue
		}
		cfg := &Config{}
		for _, name := range []string{"Tracing", "UserNamespaces"} { // what is below is set only where they are
			f := reflect.ValueOf(cfg).Elem().FieldByName(name)
			f.Set(reflect.New(f.Type().Elem()))
		}
		for _, l := range leaves(reflect.ValueOf(cfg).Elem(), "") {
			if l.path != b.field {
				continue
			}
			if q, ok := l.value.Addr().Interface().(*resource.QuantityValue); ok {
				_ = q.Set("12345")
			} else if something(l.value); slices.Contains(b.takes, "true") {
				l.value.Elem().SetBool(false)
			}
		}
		err := refuse(cfg, func(string) int { return 7 })
		if err == nil || !strings.HasPrefix(err.Error(), "line 7: "+b.field+": ") || strings.Contains(err.Error(), "\n") || b.why == "" {
			t.Errorf("%s: %v", b.field, err)
		}
	}
}

const header = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"

func load(t *testing.T, text string) (*Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubelet.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(file, nil)
}

func TestFieldsThatAskForWhatIsNotDone(t *testing.T) {
	for text, says := range map[string]string{
		"cpuManagerPolicy: static":                              `line 3: cpuManagerPolicy: "static" is not supported: containers share all CPUs`,
		"maxPods: 5\nshutdownGracePeriod: 30s":                  `line 4: shutdownGracePeriod: "30s"`,
		"memorySwap:\n  swapBehavior: LimitedSwap":              `line 4: memorySwap.swapBehavior: "LimitedSwap"`,
		"cgroupsPerQOS: false":                                  `line 3: cgroupsPerQOS: false`,
		"featureGates: {MemoryQoS: true}":                       `line 3: featureGates: {"MemoryQoS":true}`,
		"enforceNodeAllocatable: [pods, system-reserved]":       `line 3: enforceNodeAllocatable`,
		"tracing:\n  endpoint: localhost:4317":                  `line 4: tracing.endpoint`,
		"logging: {options: {json: {infoBufferSize: 64Ki}}}":    `line 3: logging.options.json.infoBufferSize`,
		"userNamespaces: {idsPerPod: 131072}":                   `line 3: userNamespaces.idsPerPod: 131072`,
		"imagePullCredentialsVerificationPolicy: AlwaysVerify":  `line 3: imagePullCredentialsVerificationPolicy`,
		"cgroupDriver: other":                                   `line 3: cgroupDriver: "other"`,
		"localStorageCapacityIsolation: false":                  `line 3: localStorageCapacityIsolation: false`,
		"maxPod: 5":                                             `line 3: maxPod: there is no such field`,
		"authentication:\n  webhook: {enabled: true, token: x}": `line 4: authentication.webhook.token: there is no such field`,
		"MaxPods: 5":                      `line 3: MaxPods: there is no such field`,
		"maxPods: 5\nmaxPods: 6":          `maxPods`,
		"clusterDNS: [dns]":               `clusterDNS: "dns" is no IP address`,
		"imageGCHighThresholdPercent: 10": `imageGCLowThresholdPercent 80 must be less than imageGCHighThresholdPercent 10`,
		"serializeImagePulls: true\nmaxParallelImagePulls: 2": `maxParallelImagePulls: cannot be 2 while serializeImagePulls is true`,
		"systemReserved: {gpu: 1}":                            `systemReserved: "gpu" cannot be reserved`,
	} {
		t.Run(text, func(t *testing.T) {
			_, err := load(t, header+text+"\n")
			if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "kubelet.yaml") {
				t.Errorf("%v; want %s", err, says)
			}
		})
	}
}

// Files that others write must go on being accepted: kubeadm's and kind's, and those of our own nodes and of upstream's peer.
func TestFilesOfOthersAreTaken(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		if _, err := Load(file, nil); err != nil {
			t.Error(err)
		}
	}
}

func TestDefaultsThatHangTogether(t *testing.T) {
	for text, right := range map[string]func(c *Config) bool{
		"": func(c *Config) bool {
			return c.NodeStatusReportFrequency.Minutes() == 5 && *c.SerializeImagePulls && len(c.EvictionHard) == 5 && c.EnforceNodeAllocatable[0] == Pods
		},
		"nodeStatusUpdateFrequency: 3s": func(c *Config) bool { return c.NodeStatusReportFrequency.Seconds() == 3 },
		"maxParallelImagePulls: 3":      func(c *Config) bool { return !*c.SerializeImagePulls },
		"evictionHard: {memory.available: 1Gi}": func(c *Config) bool {
			return len(c.EvictionHard) == 1
		},
		"evictionHard: {memory.available: 1Gi}\nmergeDefaultEvictionSettings: true": func(c *Config) bool {
			return len(c.EvictionHard) == 5 && c.EvictionHard["memory.available"] == "1Gi"
		},
		"enforceNodeAllocatable: []": func(c *Config) bool { return len(c.EnforceNodeAllocatable) == 0 },
	} {
		c, err := load(t, header+text+"\n")
		if err != nil {
			t.Fatal(err)
		}
		if !right(c) {
			t.Errorf("%q: %+v", text, c)
		}
	}
}
