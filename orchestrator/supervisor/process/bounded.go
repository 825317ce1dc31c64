package process

import (
	"os"
)

// maxLog is how large a log grows before it becomes NAME.log.1, in bytes; the one before is dropped.
const maxLog = 16 << 20

// bounded is a log file of bounded size.
type bounded struct {
	path    string
	max     int64
	file    *os.File
	written int64
}

func openBounded(path string, max int64) (*bounded, error) {
	b := &bounded{path: path, max: max}
	return b, b.open()
}

func (b *bounded) open() error {
	file, err := os.OpenFile(b.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return err
	}
	b.file, b.written = file, info.Size()
	return nil
}

// Write appends; a write that would pass the bound begins a new file.
func (b *bounded) Write(p []byte) (int, error) {
	if b.written > 0 && b.written+int64(len(p)) > b.max {
		if err := b.rotate(); err != nil {
			return 0, err
		}
	}
	n, err := b.file.Write(p)
	b.written += int64(n)
	return n, err
}

func (b *bounded) rotate() error {
	if err := b.file.Close(); err != nil {
		return err
	}
	if err := os.Rename(b.path, b.path+".1"); err != nil {
		return err
	}
	return b.open()
}

func (b *bounded) Close() error { return b.file.Close() }
