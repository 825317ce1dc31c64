package podspec

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func defaultContainer(c *corev1.Container) {
	if c.ImagePullPolicy == "" {
		c.ImagePullPolicy = pullPolicy(c.Image)
	}
	if c.TerminationMessagePath == "" {
		c.TerminationMessagePath = corev1.TerminationMessagePathDefault
	}
	if c.TerminationMessagePolicy == "" {
		c.TerminationMessagePolicy = corev1.TerminationMessageReadFile
	}
	for i := range c.Ports {
		if c.Ports[i].Protocol == "" {
			c.Ports[i].Protocol = corev1.ProtocolTCP
		}
	}
	for i := range c.Env {
		if from := c.Env[i].ValueFrom; from != nil {
			defaultFieldRef(from.FieldRef)
			defaultResourceRef(from.ResourceFieldRef)
			if from.FileKeyRef != nil && from.FileKeyRef.Optional == nil {
				from.FileKeyRef.Optional = ptr(false)
			}
		}
	}
	roundUp(c.Resources.Limits)
	roundUp(c.Resources.Requests)
	for _, probe := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
		defaultProbe(probe)
	}
	if c.Lifecycle != nil {
		for _, handler := range []*corev1.LifecycleHandler{c.Lifecycle.PostStart, c.Lifecycle.PreStop} {
			if handler != nil {
				defaultHTTPGet(handler.HTTPGet)
			}
		}
	}
}

// pullPolicy obeys the API doc of Container.imagePullPolicy: Always if :latest or no tag, IfNotPresent otherwise.
func pullPolicy(image string) corev1.PullPolicy {
	name, digest, hasDigest := strings.Cut(image, "@")
	_, tag, tagged := strings.Cut(name[strings.LastIndex(name, "/")+1:], ":")
	if (tagged && tag != "latest") || (!tagged && hasDigest && digest != "") {
		return corev1.PullIfNotPresent
	}
	return corev1.PullAlways
}

// roundUp rounds fractions of a milliunit up: nothing finer is kept.
func roundUp(list corev1.ResourceList) {
	for name, amount := range list {
		if amount.RoundUp(resource.Milli) {
			continue
		}
		list[name] = amount
	}
}

func defaultProbe(p *corev1.Probe) {
	if p == nil {
		return
	}
	setInt32(&p.TimeoutSeconds, 1)
	setInt32(&p.PeriodSeconds, 10)
	setInt32(&p.SuccessThreshold, 1)
	setInt32(&p.FailureThreshold, 3)
	defaultHTTPGet(p.HTTPGet)
	if p.GRPC != nil && p.GRPC.Service == nil {
		p.GRPC.Service = ptr("")
	}
}

func defaultHTTPGet(get *corev1.HTTPGetAction) {
	if get == nil {
		return
	}
	if get.Path == "" {
		get.Path = "/"
	}
	if get.Scheme == "" {
		get.Scheme = corev1.URISchemeHTTP
	}
}

func defaultFieldRef(ref *corev1.ObjectFieldSelector) {
	if ref != nil && ref.APIVersion == "" {
		ref.APIVersion = "v1"
	}
}

// defaultResourceRef gives the divisor a value that is written out: "0" means 1.
func defaultResourceRef(ref *corev1.ResourceFieldSelector) {
	if ref != nil && ref.Divisor.IsZero() && ref.Divisor.Format == "" {
		ref.Divisor = resource.MustParse("0")
	}
}

func setInt32(field *int32, value int32) {
	if *field == 0 {
		*field = value
	}
}
