package kind

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// The columns that nearly every table has.
var (
	NameColumn = Column{Name: "Name", Type: "string", Format: "name", Description: metav1.ObjectMeta{}.SwaggerDoc()["name"]}
	AgeColumn  = Column{Name: "Age", Type: "string", Description: metav1.ObjectMeta{}.SwaggerDoc()["creationTimestamp"]}
)

// Age is how long ago an object was made, as people read it: 5m, 3d4h.
func Age(obj metav1.Object, now time.Time) string {
	return Since(obj.GetCreationTimestamp(), now)
}

// Since is how long ago t was, as people read it; <unknown> for the zero time.
func Since(t metav1.Time, now time.Time) string {
	if t.IsZero() {
		return "<unknown>"
	}
	return duration.HumanDuration(now.Sub(t.Time))
}
