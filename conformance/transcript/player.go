package transcript

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/wait"
)

// Times of a scene's preparations.
const (
	// settleTime is how long a condition may take, settlePoll how often it is asked for.
	settleTime = 90 * time.Second
	settlePoll = 150 * time.Millisecond
	// cleanupTime is how long tidying up after a scene may take, also after an interruption.
	cleanupTime = 30 * time.Second
)

// Player plays scenes on one cluster.
type Player struct {
	// Kubectl is the path of the kubectl to run, unmodified.
	Kubectl string
	// Kubeconfig is the content of the cluster's kubeconfig.
	Kubeconfig []byte
	// Server is the URL in it.
	Server string
	// ControlPlanes and Workers are the names of the nodes.
	ControlPlanes, Workers []string
	// Files are the input files, put into the folder where commands run.
	Files fs.FS
}

// Play plays a scene in a namespace of its own and returns it with what was seen now. An error means that the scene could not be played
// to its end.
func (p *Player) Play(ctx context.Context, scene Scene) (Scene, error) {
	seen := Scene{Name: scene.Name}
	dir, err := os.MkdirTemp("", "plumb-transcript-")
	if err != nil {
		return seen, err
	}
	defer os.RemoveAll(dir)
	namespace := "transcript-" + rand.String(6)
	stage, err := p.stage(ctx, dir, namespace)
	if err != nil {
		return seen, fmt.Errorf("scene %s: %w", scene.Name, err)
	}
	defer p.strike(ctx, stage, scene, namespace)
	m, err := p.mask(ctx, stage, namespace, dir)
	if err != nil {
		return seen, fmt.Errorf("scene %s: %w", scene.Name, err)
	}
	for _, step := range scene.Steps {
		if ctx.Err() != nil {
			return seen, ctx.Err()
		}
		step, err = stage.step(ctx, m, step)
		seen.Steps = append(seen.Steps, step)
		if err != nil {
			return seen, fmt.Errorf("scene %s: %s: %w\n%s", scene.Name, step.Text, err, strings.Join(step.Output, "\n"))
		}
	}
	return seen, nil
}

// stage makes the folder, the kubeconfig and the namespace of a scene.
func (p *Player) stage(ctx context.Context, dir, namespace string) (*shell, error) {
	if err := os.CopyFS(dir, p.Files); err != nil {
		return nil, err
	}
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return nil, err
	}
	if err := os.Symlink(p.Kubectl, filepath.Join(bin, "kubectl")); err != nil {
		return nil, err
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(kubeconfig, p.Kubeconfig, 0o600); err != nil {
		return nil, err
	}
	s := &shell{dir: dir, env: []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + dir, "KUBECONFIG=" + kubeconfig, "NS=" + namespace, "TZ=UTC", "LC_ALL=C", "TERM=dumb",
		"CONTROL=" + nth(p.ControlPlanes, 0), "WORKER=" + nth(p.Workers, 0), "WORKER2=" + nth(p.Workers, 1),
	}}
	return s, s.quiet(ctx, `kubectl create namespace $NS && kubectl config set-context --current --namespace=$NS`)
}

func nth(names []string, n int) string {
	if n < len(names) {
		return names[n]
	}
	return ""
}

// strike undoes what a scene did to the cluster, also when it was interrupted.
func (p *Player) strike(ctx context.Context, s *shell, scene Scene, namespace string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	for _, step := range scene.Steps {
		if step.kind == cleanup {
			if err := s.quiet(ctx, step.Text); err != nil {
				fmt.Fprintln(os.Stderr, "transcript: clean up:", err)
			}
		}
	}
	if err := s.quiet(ctx, "kubectl delete namespace "+namespace+" --wait=false"); err != nil {
		fmt.Fprintln(os.Stderr, "transcript: clean up:", err)
	}
}

// machines prints what nodes are made of, tab between fields: facts of a machine, not of a cluster.
const machines = `kubectl get nodes -o jsonpath='{range .items[*]}{.status.nodeInfo.kernelVersion}{"\t"}{.status.nodeInfo.osImage}{"\t"}` +
	`{.status.nodeInfo.containerRuntimeVersion}{"\n"}{end}'`

func (p *Player) mask(ctx context.Context, s *shell, namespace, dir string) (*mask, error) {
	words := map[string]string{namespace: "NAMESPACE", dir: "DIR", p.Server: "SERVER"}
	for _, name := range p.ControlPlanes {
		words[name] = "CONTROL-PLANE"
	}
	for _, name := range p.Workers {
		words[name] = "WORKER"
	}
	facts, err := s.run(ctx, machines, nil)
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Split(facts.output, "\n") {
		if fields := strings.Split(line, "\t"); len(fields) == 3 {
			words[fields[0]], words[fields[1]], words[fields[2]] = "KERNEL", "OS-IMAGE", "RUNTIME"
		}
	}
	delete(words, "")
	return newMask(words), nil
}

// step plays one step and returns it as seen.
func (s *shell) step(ctx context.Context, m *mask, step Step) (Step, error) {
	switch step.kind {
	case settle:
		return step, s.settle(ctx, step.Text)
	case command:
		r, err := s.run(ctx, step.Text, step.acts)
		step.Output, step.Exit = m.apply(r.output), r.exit
		return step, err
	}
	return step, nil
}

// settle repeats a command until it succeeds.
func (s *shell) settle(ctx context.Context, line string) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, settlePoll, settleTime, true, func(ctx context.Context) (bool, error) {
		last = s.quiet(ctx, line)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("never came true: %w", last)
	}
	return nil
}

// quiet runs a command whose output nobody wants to see unless it fails.
func (s *shell) quiet(ctx context.Context, line string) error {
	r, err := s.run(ctx, line, nil)
	if err == nil && r.exit != 0 {
		err = fmt.Errorf("%s: exit code %d: %s", line, r.exit, strings.TrimSpace(r.output))
	}
	return err
}
