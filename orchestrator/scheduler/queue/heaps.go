package queue

import corev1helpers "k8s.io/component-helpers/scheduling/corev1"

// byPriority puts the highest priority first, then the longest waiting.
type byPriority []*item

func (h byPriority) Len() int { return len(h) }

func (h byPriority) Less(i, j int) bool {
	a, b := corev1helpers.PodPriority(h[i].pod), corev1helpers.PodPriority(h[j].pod)
	if a != b {
		return a > b
	}
	return h[i].since.Before(h[j].since)
}

func (h byPriority) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *byPriority) Push(x any) {
	added := x.(*item)
	added.index = len(*h)
	*h = append(*h, added)
}

func (h *byPriority) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// byTime puts the shortest remaining pause first.
type byTime []*item

func (h byTime) Len() int           { return len(h) }
func (h byTime) Less(i, j int) bool { return h[i].notTill.Before(h[j].notTill) }

func (h byTime) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *byTime) Push(x any) {
	added := x.(*item)
	added.index = len(*h)
	*h = append(*h, added)
}

func (h *byTime) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
