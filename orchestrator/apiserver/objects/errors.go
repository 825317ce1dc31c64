package objects

import "errors"

// ErrUnchanged, returned by a mutate function, says that the object is already as wanted.
var ErrUnchanged = errors.New("objects: nothing to change")
