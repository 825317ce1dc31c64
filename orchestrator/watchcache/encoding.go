package watchcache

import "sync"

// EncodingKey tells apart the encodings of one object.
type EncodingKey struct {
	Version, MediaType, Transform string
}

// encodings of one object: made once, shared by every list and watch that needs it.
type encodings struct {
	mu   sync.Mutex
	made map[EncodingKey][]byte
}

// Encoding returns the object's bytes in one encoding, made on the first call. The slice is shared.
func (o *Object) Encoding(key EncodingKey, encode func() ([]byte, error)) ([]byte, error) {
	o.encodings.mu.Lock()
	defer o.encodings.mu.Unlock()
	if have, ok := o.encodings.made[key]; ok {
		return have, nil
	}
	bytes, err := encode()
	if err != nil {
		return nil, err
	}
	if o.encodings.made == nil {
		o.encodings.made = map[EncodingKey][]byte{}
	}
	o.encodings.made[key] = bytes
	return bytes, nil
}
