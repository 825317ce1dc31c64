package runtime

import (
	"encoding/json"
	"fmt"
	"hash/fnv"

	corev1 "k8s.io/api/core/v1"
)

// Hash identifies what must restart a container when it changes: its name and its image. The bytes hashed are stock's (the Go-syntax dump of
// the JSON as a byte slice), so that a kubelet of either make recognises the other's containers.
func Hash(c *corev1.Container) uint64 {
	data, err := json.Marshal(map[string]string{"name": c.Name, "image": c.Image})
	if err != nil {
		return 0 // two strings always marshal
	}
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "([]uint8)%v", data)
	return uint64(h.Sum32())
}
