package podspec

import (
	corev1 "k8s.io/api/core/v1"
)

// fileMode of files that a volume makes from data (API docs of the defaultMode fields).
const fileMode int32 = 0o644

// tokenSeconds is the default lifetime of a projected token (API doc of ServiceAccountTokenProjection).
const tokenSeconds int64 = 60 * 60

func defaultVolume(v *corev1.Volume) {
	if v.VolumeSource == (corev1.VolumeSource{}) {
		v.EmptyDir = &corev1.EmptyDirVolumeSource{}
	}
	if s := v.Secret; s != nil {
		setMode(&s.DefaultMode)
	}
	if s := v.ConfigMap; s != nil {
		setMode(&s.DefaultMode)
	}
	if s := v.DownwardAPI; s != nil {
		setMode(&s.DefaultMode)
		defaultDownward(s.Items)
	}
	if s := v.Projected; s != nil {
		defaultProjected(s)
	}
	if s := v.HostPath; s != nil && s.Type == nil {
		s.Type = ptr(corev1.HostPathUnset)
	}
	if s := v.Ephemeral; s != nil && s.VolumeClaimTemplate != nil {
		DefaultClaim(&s.VolumeClaimTemplate.Spec)
	}
	if s := v.Image; s != nil && s.PullPolicy == "" {
		s.PullPolicy = pullPolicy(s.Reference)
	}
	defaultRemoteVolume(v)
}

func defaultProjected(s *corev1.ProjectedVolumeSource) {
	setMode(&s.DefaultMode)
	for i := range s.Sources {
		if token := s.Sources[i].ServiceAccountToken; token != nil && token.ExpirationSeconds == nil {
			token.ExpirationSeconds = ptr(tokenSeconds)
		}
		if down := s.Sources[i].DownwardAPI; down != nil {
			defaultDownward(down.Items)
		}
	}
}

func defaultDownward(items []corev1.DownwardAPIVolumeFile) {
	for i := range items {
		defaultFieldRef(items[i].FieldRef)
		defaultResourceRef(items[i].ResourceFieldRef)
	}
}

// defaultRemoteVolume covers sources whose storage is elsewhere.
func defaultRemoteVolume(v *corev1.Volume) {
	if s := v.ISCSI; s != nil && s.ISCSIInterface == "" {
		s.ISCSIInterface = "default"
	}
	if s := v.RBD; s != nil {
		setString(&s.RBDPool, "rbd")
		setString(&s.RadosUser, "admin")
		setString(&s.Keyring, "/etc/ceph/keyring")
	}
	if s := v.AzureDisk; s != nil {
		setPointer(&s.CachingMode, corev1.AzureDataDiskCachingReadWrite)
		setPointer(&s.Kind, corev1.AzureSharedBlobDisk)
		setPointer(&s.FSType, "ext4")
		setPointer(&s.ReadOnly, false)
	}
	if s := v.ScaleIO; s != nil {
		setString(&s.StorageMode, "ThinProvisioned")
		setString(&s.FSType, "xfs")
	}
}

// DefaultClaim fills what a claim's spec left out.
func DefaultClaim(spec *corev1.PersistentVolumeClaimSpec) {
	setPointer(&spec.VolumeMode, corev1.PersistentVolumeFilesystem)
}

func setMode(mode **int32) { setPointer(mode, fileMode) }

func setString(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

func setPointer[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}
