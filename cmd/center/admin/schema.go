package admin

import (
	"encoding/json"
	"path"
	"reflect"
	"strings"
	"time"

	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// object is a piece of JSON.
type object = map[string]any

// schemas describes Go types as encoding/json writes them (JSON Schema 2020-12, which OpenAPI 3.1 takes over).
type schemas struct {
	named object // by package and name
}

// of is the schema of a type: a reference for a struct that has a name.
func (s *schemas) of(t reflect.Type) object {
	if known := plainSchema(t); known != nil {
		return known
	}
	switch t.Kind() {
	case reflect.Pointer:
		return object{"anyOf": []any{s.of(t.Elem()), object{"type": "null"}}}
	case reflect.Slice:
		return object{"type": []any{"array", "null"}, "items": s.of(t.Elem())}
	case reflect.Map:
		return object{"type": []any{"object", "null"}, "additionalProperties": s.of(t.Elem())}
	case reflect.Interface:
		return object{}
	case reflect.Struct:
		return s.structure(t)
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	}
	return object{"type": "integer"}
}

// plainSchema are types that write themselves.
func plainSchema(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[roster.Plain](), reflect.TypeFor[wire.Secret]():
		return object{"type": "string", "format": "password", "writeOnly": true}
	case reflect.TypeFor[[]byte]():
		return object{"type": []any{"string", "null"}, "contentEncoding": "base64"}
	case reflect.TypeFor[json.RawMessage]():
		return object{}
	}
	return nil
}

func (s *schemas) structure(t reflect.Type) object {
	name := path.Base(t.PkgPath()) + "." + t.Name()
	if t.Name() == "" || strings.Contains(t.Name(), "[") {
		return s.fields(t)
	}
	if s.named[name] == nil {
		s.named[name] = object{} // for a type that holds itself
		s.named[name] = s.fields(t)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

func (s *schemas) fields(t reflect.Type) object {
	properties, required := object{}, []any{}
	s.collect(t, properties, &required)
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

// collect gathers the fields of a struct and of those embedded in it.
func (s *schemas) collect(t reflect.Type, properties object, required *[]any) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && tag == "" {
			if f.Type.Kind() == reflect.Pointer { // may be missing as a whole
				s.collect(f.Type.Elem(), properties, new([]any))
			} else {
				s.collect(f.Type, properties, required)
			}
			continue
		}
		if tag == "-" || !f.IsExported() {
			continue
		}
		if tag == "" {
			tag = f.Name
		}
		properties[tag] = s.of(f.Type)
		if !strings.Contains(options, "omit") && f.Type.Kind() != reflect.Pointer {
			*required = append(*required, tag)
		}
	}
}
