// Package deploy checks the manifests of deploy/kubernetes as a cluster would: it builds each
// overlay, decodes it strictly, and looks for what does not fit together. It is a module of its
// own, so that the types of Kubernetes are no dependency of the project.
package deploy

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const project = "../.."

// secrets are those that the comments of the manifests tell people to make, with their keys.
var secrets = map[string][]string{
	"otelcol-isbl-tokens": {"writers", "readers"},
	"otelcol-isbl-nats":   {"password", "admin-password"},
}

// serviceMonitor is what we use of the type of the Prometheus operator.
type serviceMonitor struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        metav1.ObjectMeta `json:"metadata"`
	Spec            struct {
		Selector  metav1.LabelSelector `json:"selector"`
		Endpoints []struct {
			Port, Interval string
		} `json:"endpoints"`
	} `json:"spec"`
}

// overlay is what an overlay makes.
type overlay struct {
	pods     map[string]corev1.PodTemplateSpec // by the name of what makes them
	sets     map[string]appsv1.StatefulSet
	services []corev1.Service
	budgets  []policyv1.PodDisruptionBudget
	policies []networkingv1.NetworkPolicy
	monitors []serviceMonitor
	configs  map[string]corev1.ConfigMap
	claims   map[string]corev1.PersistentVolumeClaim
	accounts map[string]bool
}

func TestOverlays(t *testing.T) {
	for name, replicas := range map[string]map[string]int32{
		"single":  {"otelcol-isbl": 1},
		"cluster": {"otelcol-isbl": 3, "nats": 3},
	} {
		t.Run(name, func(t *testing.T) {
			o := build(t, name)
			require.Len(t, o.sets, len(replicas))
			for set, want := range replicas {
				assert.Equal(t, want, *o.sets[set].Spec.Replicas, set)
				assert.Contains(t, o.headless(), o.sets[set].Spec.ServiceName, "the service that names the pods of %s", set)
				assert.Equal(t, 1, o.count(set, func(b policyv1.PodDisruptionBudget) *metav1.LabelSelector { return b.Spec.Selector }))
				o.checkSelector(t, set, o.sets[set].Spec.Selector)
			}
			for pod, template := range o.pods {
				t.Run(pod, func(t *testing.T) { o.checkPod(t, template) })
			}
			o.checkServices(t)
			o.checkPolicies(t)
			require.Len(t, o.monitors, 1)
			assert.Equal(t, []string{"otelcol-isbl"}, o.monitored(t, o.monitors[0]))
			assert.Equal(t, name == "single", len(o.pods) > len(o.sets), "a volume is backed up")
		})
	}
}

// A restart does not free a disk: the liveness probe must not ask for the health of the store.
func TestLivenessIsNotHealth(t *testing.T) {
	pod := build(t, "single").pods["otelcol-isbl"].Spec.Containers[0]
	assert.Nil(t, pod.LivenessProbe.HTTPGet)
	assert.Equal(t, "/status", pod.ReadinessProbe.HTTPGet.Path)
	assert.Equal(t, "/status", pod.StartupProbe.HTTPGet.Path)
}

func TestImagesAreOfThisVersion(t *testing.T) {
	version := find(t, project+"/internal/version/version.go", `const Number = "(.+)"`)
	nats := find(t, project+"/go.mod", `nats-io/nats-server/v2 v(\d+\.\d+)\.`)
	for _, name := range []string{"single", "cluster"} {
		for pod, template := range build(t, name).pods {
			want := "otelcol-isbl:" + version
			if pod == "nats" {
				want = "nats:" + nats + "-alpine"
			}
			assert.Equal(t, want, template.Spec.Containers[0].Image, "%s in %s", pod, name)
		}
	}
}

// Kustomize reads no files outside of its directory, so the accounts of NATS are there twice.
func TestAccountsOfNATS(t *testing.T) {
	want, err := os.ReadFile(project + "/deploy/nats/accounts.conf")
	require.NoError(t, err)
	var have []string
	for _, config := range build(t, "cluster").configs {
		if accounts, ok := config.Data["accounts.conf"]; ok {
			have = append(have, accounts)
		}
	}
	assert.Equal(t, []string{string(want)}, have)
}

func find(t *testing.T, file, pattern string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	found := regexp.MustCompile(pattern).FindSubmatch(text)
	require.NotNil(t, found, "%s in %s", pattern, file)
	return string(found[1])
}

// build makes an overlay and decodes what comes out. A field that Kubernetes does not know fails.
func build(t *testing.T, name string) *overlay {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), project+"/deploy/kubernetes/"+name)
	require.NoError(t, err)
	text, err := made.AsYaml()
	require.NoError(t, err)
	o := &overlay{
		pods: map[string]corev1.PodTemplateSpec{}, sets: map[string]appsv1.StatefulSet{}, configs: map[string]corev1.ConfigMap{},
		claims: map[string]corev1.PersistentVolumeClaim{}, accounts: map[string]bool{},
	}
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		var head struct {
			metav1.TypeMeta `json:",inline"`
			Metadata        metav1.ObjectMeta `json:"metadata"`
		}
		require.NoError(t, yaml.Unmarshal(document, &head))
		object := head.Metadata.Name
		assert.Equal(t, "isbl", head.Metadata.Namespace, object)
		switch kind := head.APIVersion + " " + head.Kind; kind {
		case "apps/v1 StatefulSet":
			o.sets[object] = decode[appsv1.StatefulSet](t, document)
			o.pods[object] = o.sets[object].Spec.Template
		case "batch/v1 CronJob":
			o.pods[object] = decode[batchv1.CronJob](t, document).Spec.JobTemplate.Spec.Template
		case "v1 Service":
			o.services = append(o.services, decode[corev1.Service](t, document))
		case "policy/v1 PodDisruptionBudget":
			o.budgets = append(o.budgets, decode[policyv1.PodDisruptionBudget](t, document))
		case "networking.k8s.io/v1 NetworkPolicy":
			o.policies = append(o.policies, decode[networkingv1.NetworkPolicy](t, document))
		case "monitoring.coreos.com/v1 ServiceMonitor":
			o.monitors = append(o.monitors, decode[serviceMonitor](t, document))
		case "v1 ConfigMap":
			o.configs[object] = decode[corev1.ConfigMap](t, document)
		case "v1 PersistentVolumeClaim":
			o.claims[object] = decode[corev1.PersistentVolumeClaim](t, document)
		case "v1 ServiceAccount":
			assert.False(t, *decode[corev1.ServiceAccount](t, document).AutomountServiceAccountToken)
			o.accounts[object] = true
		default:
			assert.Fail(t, "no test knows a "+kind, object)
		}
	}
	return o
}

func decode[T any](t *testing.T, document []byte) (object T) {
	t.Helper()
	require.NoError(t, yaml.UnmarshalStrict(document, &object), "%s", document)
	return object
}

// checkPod looks at the rights of a pod, and for everything that it names.
func (o *overlay) checkPod(t *testing.T, pod corev1.PodTemplateSpec) {
	t.Helper()
	spec := pod.Spec
	assert.True(t, *spec.SecurityContext.RunAsNonRoot)
	assert.EqualValues(t, 10001, *spec.SecurityContext.RunAsUser)
	assert.False(t, *spec.AutomountServiceAccountToken)
	if spec.ServiceAccountName != "" {
		assert.True(t, o.accounts[spec.ServiceAccountName])
	}
	mounts := map[string]bool{}
	for _, container := range spec.Containers {
		rights := container.SecurityContext
		assert.True(t, *rights.ReadOnlyRootFilesystem)
		assert.False(t, *rights.AllowPrivilegeEscalation)
		assert.Equal(t, []corev1.Capability{"ALL"}, rights.Capabilities.Drop)
		assert.NotEmpty(t, container.Resources.Limits.Memory())
		for _, mount := range container.VolumeMounts {
			mounts[mount.Name] = true
		}
		for _, env := range container.Env {
			if env.ValueFrom != nil && env.ValueFrom.SecretKeyRef != nil {
				assert.Contains(t, secrets[env.ValueFrom.SecretKeyRef.Name], env.ValueFrom.SecretKeyRef.Key)
			}
		}
		for _, probe := range []*corev1.Probe{container.StartupProbe, container.ReadinessProbe, container.LivenessProbe} {
			switch {
			case probe == nil:
			case probe.HTTPGet != nil:
				assert.Contains(t, ports(pod), probe.HTTPGet.Port.String())
			default:
				assert.Contains(t, ports(pod), probe.TCPSocket.Port.String())
			}
		}
	}
	for _, volume := range spec.Volumes {
		assert.True(t, mounts[volume.Name], volume.Name)
		delete(mounts, volume.Name)
		switch {
		case volume.ConfigMap != nil:
			assert.Contains(t, o.configs, volume.ConfigMap.Name)
		case volume.Secret != nil:
			assert.Contains(t, secrets, volume.Secret.SecretName)
		case volume.PersistentVolumeClaim != nil:
			assert.Contains(t, o.claims, volume.PersistentVolumeClaim.ClaimName)
		}
	}
	delete(mounts, "data") // of volumeClaimTemplates
	assert.Empty(t, mounts, "volumes that nothing provides")
}

// checkServices looks whether each service leads to ports of one kind of pods.
func (o *overlay) checkServices(t *testing.T) {
	t.Helper()
	for _, service := range o.services {
		chosen := o.chosen(t, &metav1.LabelSelector{MatchLabels: service.Spec.Selector})
		require.Len(t, chosen, 1, service.Name)
		for _, port := range service.Spec.Ports {
			assert.Contains(t, ports(o.pods[chosen[0]]), port.TargetPort.String(), service.Name)
		}
	}
}

// checkPolicies looks whether each set is behind one policy, whose ports it has.
func (o *overlay) checkPolicies(t *testing.T) {
	t.Helper()
	for set := range o.sets {
		var covered int
		for _, policy := range o.policies {
			if chosen := o.chosen(t, &policy.Spec.PodSelector); len(chosen) != 1 || chosen[0] != set {
				continue
			}
			covered++
			for _, rule := range policy.Spec.Ingress {
				assert.NotEmpty(t, rule.From)
				for _, port := range rule.Ports {
					assert.Equal(t, intstr.String, port.Port.Type)
					assert.Contains(t, ports(o.pods[set]), port.Port.StrVal, policy.Name)
				}
			}
		}
		assert.Equal(t, 1, covered, set)
	}
}

func (o *overlay) checkSelector(t *testing.T, set string, selector *metav1.LabelSelector) {
	t.Helper()
	assert.Equal(t, []string{set}, o.chosen(t, selector))
}

// count returns how many budgets choose the pods of the set, and no others.
func (o *overlay) count(set string, selector func(policyv1.PodDisruptionBudget) *metav1.LabelSelector) (n int) {
	for _, budget := range o.budgets {
		s, err := metav1.LabelSelectorAsSelector(selector(budget))
		if err == nil && s.Matches(labels.Set(o.pods[set].Labels)) {
			n++
		}
	}
	return n
}

// chosen returns what makes the pods that a selector chooses.
func (o *overlay) chosen(t *testing.T, selector *metav1.LabelSelector) (names []string) {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	require.NoError(t, err)
	for name, pod := range o.pods {
		if s.Matches(labels.Set(pod.Labels)) {
			names = append(names, name)
		}
	}
	return names
}

// monitored returns the services that a monitor chooses and that have its ports.
func (o *overlay) monitored(t *testing.T, monitor serviceMonitor) (names []string) {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(&monitor.Spec.Selector)
	require.NoError(t, err)
	for _, service := range o.services {
		for _, port := range service.Spec.Ports {
			if s.Matches(labels.Set(service.Labels)) && port.Name == monitor.Spec.Endpoints[0].Port {
				names = append(names, service.Name)
			}
		}
	}
	return names
}

func (o *overlay) headless() (names []string) {
	for _, service := range o.services {
		if strings.EqualFold(service.Spec.ClusterIP, "None") {
			names = append(names, service.Name)
		}
	}
	return names
}

func ports(pod corev1.PodTemplateSpec) (names []string) {
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			names = append(names, port.Name)
		}
	}
	return names
}
