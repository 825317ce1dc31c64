package apiserver

import (
	"net/http"
	"testing"
)

// A namespace that is emptied has a deletionTimestamp and no grace period; another deletion changes nothing.
func TestADeletedNamespaceHasNoGracePeriod(t *testing.T) {
	w := newWorld(t)
	w.namespace("work")
	const path = "/api/v1/namespaces/work"
	first := w.shown(http.MethodDelete, path, "", "")
	if first.GetDeletionTimestamp() == nil || first.GetDeletionGracePeriodSeconds() != nil {
		t.Errorf("deleted at %v, with grace %v", first.GetDeletionTimestamp(), first.GetDeletionGracePeriodSeconds())
	}
	if again := w.shown(http.MethodDelete, path, "", ""); again.GetResourceVersion() != first.GetResourceVersion() {
		t.Errorf("another deletion wrote version %s over %s", again.GetResourceVersion(), first.GetResourceVersion())
	}
}
