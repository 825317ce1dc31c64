package apiserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What kubectl was seen to say on stock v1.37.2 and not on this server, line by line of the recorded transcript.

func TestDiscoverySaysWhatStockSays(t *testing.T) {
	w := newWorld(t)
	for _, row := range []struct{ path, says string }{
		{"/api", `{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[{"clientCIDR":"0.0.0.0/0","serverAddress":"192.0.2.1:6443"}]}`},
		{"/api/v1", `{"name":"pods/exec","singularName":"","namespaced":true,"kind":"PodExecOptions","verbs":["create","get"]}`},
		{"/api/v1", `{"name":"pods/eviction","singularName":"","namespaced":true,"group":"policy","version":"v1","kind":"Eviction","verbs":["create"]}`},
		{"/apis/apps/v1", `{"name":"deployments/scale","singularName":"","namespaced":true,"group":"autoscaling","version":"v1","kind":"Scale","verbs":["get","patch","update"]}`},
	} {
		if got := w.send(http.MethodGet, row.path, "", ""); !strings.Contains(string(got.Body), row.says) {
			t.Errorf("%s: got %s\nwant %s", row.path, got.Body, row.says)
		}
	}
}

func TestASelfReviewIsOfNow(t *testing.T) {
	w := newWorld(t)
	const body = `{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1","metadata":{"name":"mine"}}`
	review := w.shown(http.MethodPost, "/apis/authentication.k8s.io/v1/selfsubjectreviews", asJSON, body)
	if made := review.GetCreationTimestamp(); made.IsZero() || review.GetName() != "" {
		t.Errorf("%v", review.Object)
	}
}

func template(containers string) string {
	return `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"app":"web"}},` +
		`"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[` + containers + `]}}}}`
}

func TestATemplateMayHaveABlankImageAPodMayNot(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	w.shown(http.MethodPost, "/apis/apps/v1/namespaces/room/deployments", asJSON, template(`{"name":"echo","image":"echo"}`))
	const blank = `{"spec":{"template":{"spec":{"containers":[{"name":"echo","image":" "}]}}}}`
	w.shown(http.MethodPatch, "/apis/apps/v1/namespaces/room/deployments/web", asStrategic, blank)
	const pod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":" "}]}}`
	w.refused(w.send(http.MethodPost, "/api/v1/namespaces/room/pods", asJSON, pod), http.StatusUnprocessableEntity,
		`Pod "p" is invalid: spec.containers[0].image: Invalid value: " ": must not have leading or trailing whitespace`)
}

func TestFaultsOfATemplateComeInStocksOrder(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	body := template(`{"name":"echo","image":"echo"},{"name":"echo","image":"echo","volumeMounts":[{"name":"none","mountPath":"/m"}]}`)
	w.refused(w.send(http.MethodPost, "/apis/apps/v1/namespaces/room/deployments", asJSON, body), http.StatusUnprocessableEntity,
		`Deployment.apps "web" is invalid: [spec.template.spec.containers[1].volumeMounts[0].name: Not found: "none", `+
			`spec.template.spec.containers[1].name: Duplicate value: "echo"]`)
}

func TestAClusterIPOutsideTheRange(t *testing.T) {
	w := newWorld(t)
	const outside = " is not in the valid range. The range of valid IPs is 10.96.0.0/16"
	for _, row := range []struct{ ip, query, says string }{
		{"1.2.3.4", "", "the provided network does not match the current range"},
		{"1.2.3.4", "?dryRun=All", "the provided IP (1.2.3.4)" + outside},
		{"10.96.0.0", "", "the provided network does not match the current range"},
		{"10.96.0.0", "?dryRun=All", "the provided IP (10.96.0.0)" + outside},
	} {
		body := `{"apiVersion":"v1","kind":"Service","metadata":{"name":"bad"},"spec":{"clusterIP":"` + row.ip + `","ports":[{"port":80}]}}`
		w.refused(w.send(http.MethodPost, "/api/v1/namespaces/default/services"+row.query, asJSON, body), http.StatusUnprocessableEntity,
			`Service "bad" is invalid: spec.clusterIPs: Invalid value: ["`+row.ip+`"]: failed to allocate IP `+row.ip+`: `+row.says)
	}
}

func TestAnAnnotationFromAStatusWriteIsNoNewGeneration(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	const path = "/apis/apps/v1/namespaces/room/deployments"
	w.shown(http.MethodPost, path, asJSON, template(`{"name":"echo","image":"echo"}`))
	const annotation = `{"metadata":{"annotations":{"deployment.kubernetes.io/revision":"1"}}}`
	d := w.shown(http.MethodPatch, path+"/web/status", asMerge, annotation)
	if generation(d) != 1 || d.GetAnnotations()["deployment.kubernetes.io/revision"] != "1" {
		t.Errorf("generation %v, annotations %v", generation(d), d.GetAnnotations())
	}
	if d = w.shown(http.MethodPatch, path+"/web", asMerge, `{"metadata":{"annotations":{"by":"hand"}}}`); generation(d) != 2 {
		t.Errorf("generation %v after an annotation of the user", generation(d))
	}
}

// generation of an answer, whose numbers are all decoded as JSON's.
func generation(u *unstructured.Unstructured) float64 {
	n, _, _ := unstructured.NestedFloat64(u.Object, "metadata", "generation")
	return n
}

func TestTheRootListsWhatIsServed(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sa.key")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "--service-account-issuer=https://issuer.example", "--service-account-signing-key-file="+file, "--advertise-address=192.0.2.1")
	var root struct{ Paths []string }
	if err := json.Unmarshal(w.send(http.MethodGet, "/", "", "").Body, &root); err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(root.Paths) {
		t.Errorf("%v are not in order", root.Paths)
	}
	for _, path := range []string{
		"/.well-known/openid-configuration", "/api", "/api/v1", "/apis", "/apis/", "/apis/apps", "/apis/apps/v1", "/healthz", "/healthz/etcd", "/livez/ping", "/metrics",
		"/openapi/v2", "/openapi/v3", "/openapi/v3/", "/openid/v1/jwks", "/readyz", "/readyz/informer-sync", "/readyz/shutdown", "/version",
	} {
		if !slices.Contains(root.Paths, path) {
			t.Errorf("%s is not listed: %v", path, root.Paths)
		}
	}
	for _, path := range root.Paths {
		if got := w.send(http.MethodGet, path, "", ""); got.Code == http.StatusNotFound {
			t.Errorf("%s is listed, not served", path)
		}
	}
	if got := w.send(http.MethodGet, "/openid/v1/jwks", "", ""); got.Header.Get("Content-Type") != "application/jwk-set+json" || !strings.Contains(string(got.Body), `"alg":"ES256"`) {
		t.Errorf("keys: %v %s", got.Header, got.Body)
	}
	for _, path := range []string{"/healthz/shutdown", "/healthz/nonsense"} {
		if got := w.send(http.MethodGet, path, "", ""); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
}
