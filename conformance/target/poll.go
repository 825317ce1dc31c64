package target

import "time"

// Poll is how often specs look.
const Poll = 200 * time.Millisecond
