package job

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
)

// indexes is a set of completion indexes, written as in status.completedIndexes: "0-3,7".
type indexes map[int]bool

// parse skips what it cannot read, and what is not below limit: a Job's completions may have shrunk.
func parse(text string, limit int) indexes {
	out := indexes{}
	for _, part := range strings.Split(text, ",") {
		first, last, ranged := strings.Cut(part, "-")
		a, err := strconv.Atoi(first)
		if err != nil {
			continue
		}
		b := a
		if ranged {
			if b, err = strconv.Atoi(last); err != nil {
				continue
			}
		}
		for i := a; i <= b && i < limit; i++ {
			out[i] = true
		}
	}
	return out
}

func (x indexes) String() string {
	all := make([]int, 0, len(x))
	for i := range x {
		all = append(all, i)
	}
	slices.Sort(all)
	var parts []string
	for i := 0; i < len(all); {
		j := i
		for j+1 < len(all) && all[j+1] == all[j]+1 {
			j++
		}
		switch {
		case j == i:
			parts = append(parts, strconv.Itoa(all[i]))
		case j == i+1:
			parts = append(parts, strconv.Itoa(all[i]), strconv.Itoa(all[j]))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", all[i], all[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, ",")
}

func indexed(j *batch.Job) bool {
	return j.Spec.CompletionMode != nil && *j.Spec.CompletionMode == batch.IndexedCompletion
}

// indexOf a pod, or -1.
func indexOf(p *core.Pod) int {
	n, err := strconv.Atoi(p.Annotations[batch.JobCompletionIndexAnnotation])
	if err != nil {
		return -1
	}
	return n
}

// count reads a number from a pod's annotation; 0 when it is not there.
func count(p *core.Pod, annotation string) int {
	n, err := strconv.Atoi(p.Annotations[annotation])
	if err != nil {
		return 0
	}
	return n
}
