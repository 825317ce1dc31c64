package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/store"
	"github.com/plumb-k8s/plumb/orchestrator/watchcache"
)

// StatusOf maps every error to the Status that clients get: the one place where that is decided.
func StatusOf(err error) metav1.Status {
	var known apierrors.APIStatus
	if errors.As(err, &known) {
		return known.Status()
	}
	var conflict *store.ConflictError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", large.Limit)).Status()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, os.ErrDeadlineExceeded):
		return apierrors.NewTimeoutError("request did not complete within the allotted timeout", 0).Status()
	case errors.Is(err, watchcache.ErrTooOld), errors.Is(err, store.ErrCompacted):
		return apierrors.NewResourceExpired("The resourceVersion for the provided watch is too old.").Status()
	case errors.As(err, &conflict):
		return apierrors.NewConflict(schema.GroupResource{}, conflict.Key, err).Status()
	case errors.Is(err, watchcache.ErrUnconfirmed):
		// Whether the cache is as new as the request is not known: no answer from it would be true.
		return apierrors.NewServiceUnavailable("the store does not confirm that this server's state is current; try again").Status()
	}
	return metav1.Status{Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: err.Error()}
}

// WriteError sends an error as a Status.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	status := bounded(StatusOf(err))
	status.Kind, status.APIVersion = "Status", "v1"
	if status.Details != nil && status.Details.RetryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(status.Details.RetryAfterSeconds)))
	}
	body, media := encodeStatus(&status, r.Header.Get("Accept"))
	w.Header().Set("Content-Type", media)
	w.Header().Set("Cache-Control", "no-cache, private")
	w.WriteHeader(int(status.Code))
	_, _ = w.Write(body)
}

// encodeStatus writes protobuf to those who accept nothing else first, and JSON to everybody else.
func encodeStatus(status *metav1.Status, accept string) (body []byte, media string) {
	if strings.HasPrefix(accept, mediaProtobuf) && !strings.Contains(accept, "as=") {
		if raw, err := status.Marshal(); err == nil {
			return envelope("v1", "Status", raw), mediaProtobuf
		}
	}
	body, err := json.Marshal(status)
	if err != nil {
		return []byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","code":500}`), mediaJSON
	}
	return append(body, '\n'), mediaJSON
}

// noSuchUID: a write that names the one object it is about cannot create another.
func noSuchUID(uid types.UID) error {
	return fmt.Errorf("uid mismatch: the provided object specified uid %s, and no existing object was found", uid)
}

// MethodNotAllowed is the answer to a method that a path does not have.
func MethodNotAllowed(r *http.Request) error {
	return apierrors.NewGenericServerResponse(http.StatusMethodNotAllowed, r.Method, schema.GroupResource{}, "", "", 0, false)
}
