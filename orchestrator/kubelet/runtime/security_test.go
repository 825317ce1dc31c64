package runtime

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// Nobody asked this before a container was made (found by NODE-013).
func TestVerifyNonRoot(t *testing.T) {
	yes, no := true, false
	id := func(n int64) *int64 { return &n }
	for name, row := range map[string]struct {
		context corev1.SecurityContext
		uid     *int64
		user    string
		refused bool
	}{
		"nothing is asked":                   {corev1.SecurityContext{}, id(0), "", false},
		"root is allowed":                    {corev1.SecurityContext{RunAsNonRoot: &no}, id(0), "", false},
		"the image runs as root":             {corev1.SecurityContext{RunAsNonRoot: &yes}, id(0), "", true},
		"the image names nobody: it is root": {corev1.SecurityContext{RunAsNonRoot: &yes}, nil, "", true},
		"the image has a user by name":       {corev1.SecurityContext{RunAsNonRoot: &yes}, nil, "nobody", true},
		"the image has another user":         {corev1.SecurityContext{RunAsNonRoot: &yes}, id(7), "", false},
		"the pod says root":                  {corev1.SecurityContext{RunAsNonRoot: &yes, RunAsUser: id(0)}, id(7), "", true},
		"the pod says another user":          {corev1.SecurityContext{RunAsNonRoot: &yes, RunAsUser: id(7)}, id(0), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := VerifyNonRoot(&row.context, row.uid, row.user); (err != nil) != row.refused {
				t.Fatalf("got %v, refused should be %t", err, row.refused)
			}
		})
	}
}
