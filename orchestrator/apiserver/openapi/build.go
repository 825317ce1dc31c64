package openapi

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"

	openapiv2 "github.com/google/gnostic-models/openapiv2"
	openapiv3 "github.com/google/gnostic-models/openapiv3"
	"google.golang.org/protobuf/proto"
	"k8s.io/kube-openapi/pkg/builder"
	"k8s.io/kube-openapi/pkg/builder3"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/schemamutation"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/plumb-k8s/plumb/orchestrator/api/schema"
)

// about is what the documents say of themselves.
var about = spec.Info{InfoProps: spec.InfoProps{Title: "Kubernetes", Version: "1.37"}}

const bearer = "Bearer Token authentication"

// newV3 is the document of some operations in OpenAPI v3: of one group version, or of none.
func newV3(self string, within gv, of func() []common.Route) *document {
	return &document{
		self: self, binary: protobufV3,
		medias: []media{
			{asked: "application/json", answered: "application/json"},
			{asked: "application/com.github.proto-openapi.spec.v3.v1.0+protobuf", answered: "application/com.github.proto-openapi.spec.v3.v1.0+protobuf", binary: true},
			{asked: "application/com.github.proto-openapi.spec.v3@v1.0+protobuf", answered: "application/com.github.proto-openapi.spec.v3.v1.0+protobuf", binary: true},
		},
		build: func() ([]byte, error) {
			routes := of()
			built, err := builder3.BuildOpenAPISpecFromRoutes([]common.RouteContainer{container(routes)}, v3Config(within, routes))
			if err != nil {
				return nil, err
			}
			return json.Marshal(built)
		},
	}
}

func v3Config(within gv, routes []common.Route) *common.OpenAPIV3Config {
	return &common.OpenAPIV3Config{
		Info:              &about,
		CommonResponses:   map[int]*spec3.Response{http.StatusUnauthorized: {ResponseProps: spec3.ResponseProps{Description: "Unauthorized"}}},
		Definitions:       schema.Definitions(schema.V3, within, samples(routes)...),
		GetDefinitionName: sameName,
		SecuritySchemes: spec3.SecuritySchemes{"BearerToken": &spec3.SecurityScheme{SecuritySchemeProps: spec3.SecuritySchemeProps{
			Type: "apiKey", Name: "authorization", In: "header", Description: bearer,
		}}},
		GetOperationIDAndTagsFromRoute: identify,
	}
}

// newV2 is the one document of all operations in OpenAPI v2.
func newV2(all []func() []common.Route) *document {
	return &document{
		binary: protobufV2,
		medias: []media{
			{asked: "application/json", answered: "application/json"},
			{asked: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf", answered: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", binary: true},
			{asked: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", answered: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", binary: true},
		},
		build: func() ([]byte, error) {
			var routes []common.Route
			for _, of := range all {
				routes = append(routes, of()...)
			}
			built, err := builder.BuildOpenAPISpecFromRoutes([]common.RouteContainer{container(routes)}, v2Config(routes))
			if err != nil {
				return nil, err
			}
			withoutDefaults(built.Definitions)
			return json.Marshal(built)
		},
	}
}

func v2Config(routes []common.Route) *common.Config {
	return &common.Config{
		Info:            &about,
		ProtocolList:    []string{"https"},
		CommonResponses: map[int]spec.Response{http.StatusUnauthorized: {ResponseProps: spec.ResponseProps{Description: "Unauthorized"}}},
		GetDefinitions: func(common.ReferenceCallback) map[string]common.OpenAPIDefinition {
			return schema.Definitions(schema.V2, gv{}, samples(routes)...)
		},
		GetDefinitionName: sameName,
		SecurityDefinitions: &spec.SecurityDefinitions{"BearerToken": &spec.SecurityScheme{SecuritySchemeProps: spec.SecuritySchemeProps{
			Type: "apiKey", Name: "authorization", In: "header", Description: bearer,
		}}},
		DefaultSecurity:                []map[string][]string{{"BearerToken": {}}},
		GetOperationIDAndTagsFromRoute: identify,
	}
}

// sameName: definitions are asked for by the names that they have.
func sameName(name string) (string, spec.Extensions) { return name, nil }

func identify(r common.Route) (string, []string, error) {
	of := r.(*operation)
	return of.id, []string{of.tag}, nil
}

// samples are the types of all bodies.
func samples(routes []common.Route) []reflect.Type {
	var found []reflect.Type
	add := func(sample any) {
		if sample == nil {
			return
		}
		t := reflect.TypeOf(sample)
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() == reflect.Struct && !slices.Contains(found, t) {
			found = append(found, t)
		}
	}
	for _, r := range routes {
		add(r.RequestPayloadSample())
		for _, answer := range r.StatusCodeResponses() {
			add(answer.Model())
		}
	}
	return found
}

// container is a list of routes without anything in common.
type container []common.Route

func (c container) RootPath() string                   { return "" }
func (c container) PathParameters() []common.Parameter { return nil }
func (c container) Routes() []common.Route             { return c }

// withoutDefaults: clients of OpenAPI v2 do not expect defaults, so its document has none.
func withoutDefaults(definitions spec.Definitions) {
	walker := schemamutation.Walker{
		SchemaCallback: func(s *spec.Schema) *spec.Schema {
			if s.Default == nil {
				return s
			}
			pruned := *s
			pruned.Default = nil
			return &pruned
		},
		RefCallback: schemamutation.RefCallbackNoop,
	}
	for name, definition := range definitions {
		definitions[name] = *walker.WalkSchema(&definition)
	}
}

func protobufV2(document []byte) ([]byte, error) {
	parsed, err := openapiv2.ParseDocument(document)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(parsed)
}

func protobufV3(document []byte) ([]byte, error) {
	parsed, err := openapiv3.ParseDocument(document)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(parsed)
}
