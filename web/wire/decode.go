package wire

import (
	"encoding/json"
	"reflect"
)

// decoder makes fresh values of m's type out of JSON bodies. An empty body is the zero value.
func decoder(m message) func(json.RawMessage) (message, error) {
	t := reflect.TypeOf(m)
	return func(body json.RawMessage) (message, error) {
		v := reflect.New(t)
		if len(body) > 0 {
			if err := json.Unmarshal(body, v.Interface()); err != nil {
				return nil, err
			}
		}
		return v.Elem().Interface().(message), nil
	}
}
