package volumes

import (
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
)

// checkHostPath holds a path of the node against the type that the pod expects there, and makes it for the two "OrCreate" types.
func checkHostPath(v *corev1.HostPathVolumeSource) error {
	if v.Type == nil || *v.Type == corev1.HostPathUnset {
		return nil
	}
	info, err := os.Stat(v.Path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	exists := err == nil
	switch *v.Type {
	case corev1.HostPathDirectoryOrCreate:
		if !exists {
			return os.MkdirAll(v.Path, 0o755)
		}
		return expect(info.IsDir(), v)
	case corev1.HostPathFileOrCreate:
		if !exists {
			f, err := os.OpenFile(v.Path, os.O_CREATE, 0o644)
			if err != nil {
				return err
			}
			return f.Close()
		}
		return expect(info.Mode().IsRegular(), v)
	}
	if !exists {
		return expect(false, v)
	}
	return expect(isType(info.Mode(), *v.Type), v)
}

func isType(mode os.FileMode, want corev1.HostPathType) bool {
	switch want {
	case corev1.HostPathDirectory:
		return mode.IsDir()
	case corev1.HostPathFile:
		return mode.IsRegular()
	case corev1.HostPathSocket:
		return mode&os.ModeSocket != 0
	case corev1.HostPathCharDev:
		return mode&os.ModeCharDevice != 0
	case corev1.HostPathBlockDev:
		return mode&os.ModeDevice != 0 && mode&os.ModeCharDevice == 0
	}
	return false
}

func expect(ok bool, v *corev1.HostPathVolumeSource) error {
	if ok {
		return nil
	}
	names := map[corev1.HostPathType]string{
		corev1.HostPathDirectory: "a directory", corev1.HostPathDirectoryOrCreate: "a directory", corev1.HostPathFile: "a file",
		corev1.HostPathFileOrCreate: "a file", corev1.HostPathSocket: "a socket file", corev1.HostPathCharDev: "a character device",
		corev1.HostPathBlockDev: "a block device",
	}
	return fmt.Errorf("hostPath type check failed: %s is not %s", v.Path, names[*v.Type])
}
