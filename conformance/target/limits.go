package target

import "time"

// Time limits of the specs, all in one place. They bound how long a conformant cluster may take on a slow, loaded machine; none of them is slept.
const (
	// PodStart covers a pull of a small image, the sandbox and the container.
	PodStart = 60 * time.Second
	// PodStop is the default grace period of 30 s plus clean-up.
	PodStop = 60 * time.Second
	// Rollout is for a Deployment of a few pods.
	Rollout = 120 * time.Second
	// Converge is for what controllers do without starting pods.
	Converge = 30 * time.Second
	// Quiet is how long something must stay as it is to count as staying so.
	Quiet = 3 * time.Second
	// Poll is how often specs look.
	Poll = 200 * time.Millisecond
)
