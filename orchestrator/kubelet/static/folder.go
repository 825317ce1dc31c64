package static

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Sink receives pods.
type Sink interface {
	Set(pod *corev1.Pod)
	Gone(uid types.UID)
}

// Folder is a file of one pod, or a folder of such files. Names that begin with a dot are left out.
type Folder struct {
	Path, Node string
	Sink       Sink
	Logger     *slog.Logger
	// Every is how often all files are read again; changes that show in names, sizes or times are seen within a second.
	Every time.Duration

	read   atomic.Bool
	prints map[string]print
	at     time.Time
	pods   map[types.UID]bool
	broken map[string]string // last complaint by file, so that each is made once
}

// print of a file: another one means that it must be read.
type print struct {
	size    int64
	changed time.Time
}

const look = time.Second

// Run feeds the sink until ctx ends. Looking costs one directory listing; no inotify instance is taken, of which a machine has few.
func (f *Folder) Run(ctx context.Context) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		f.Look(time.Now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Read is true once every file was looked at.
func (f *Folder) Read() bool { return f.read.Load() }

// Look reads the files if something changed and tells the sink the difference.
func (f *Folder) Look(now time.Time) {
	files, err := f.files()
	if err != nil {
		f.complain(f.Path, err)
		return // what cannot be read is not gone
	}
	if f.read.Load() && same(files, f.prints) && now.Sub(f.at) < f.Every {
		return
	}
	f.prints, f.at = files, now
	found := map[types.UID]bool{}
	var fresh []*corev1.Pod
	for file := range files {
		pod, err := f.parse(file)
		if err != nil {
			f.complain(file, err)
			continue
		}
		delete(f.broken, file)
		if found[pod.UID] {
			continue
		}
		found[pod.UID] = true
		if !f.pods[pod.UID] {
			fresh = append(fresh, stamped(pod, now))
		}
	}
	for uid := range f.pods {
		if !found[uid] {
			f.Sink.Gone(uid)
		}
	}
	for _, pod := range fresh {
		f.Sink.Set(pod)
	}
	f.pods = found
	f.read.Store(true)
}

func (f *Folder) parse(file string) (*corev1.Pod, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Parse(data, file, f.Node)
}

func (f *Folder) complain(file string, err error) {
	if f.broken == nil {
		f.broken = map[string]string{}
	}
	if f.broken[file] != err.Error() {
		f.broken[file] = err.Error()
		f.Logger.Warn("static pod", "file", file, "err", err)
	}
}

// files with their prints. A path that does not exist has none.
func (f *Folder) files() (map[string]print, error) {
	info, err := os.Stat(f.Path)
	if os.IsNotExist(err) {
		return map[string]print{}, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return map[string]print{f.Path: {info.Size(), info.ModTime()}}, nil
	}
	entries, err := os.ReadDir(f.Path)
	if err != nil {
		return nil, err
	}
	files := map[string]print{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(f.Path, e.Name())
		info, err := os.Stat(path) // follows links
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		files[path] = print{info.Size(), info.ModTime()}
	}
	return files, nil
}

func same(a, b map[string]print) bool {
	if len(a) != len(b) {
		return false
	}
	for name, p := range a {
		if q, ok := b[name]; !ok || p.size != q.size || !p.changed.Equal(q.changed) {
			return false
		}
	}
	return true
}
