package main

import (
	"encoding/json"
	"reflect"
	"strings"
)

// readAs is a config as its file had it. Another version of the phone may have written there what this one does not know: a name,
// or something within one. Both are written back as they were, as long as nobody changes them here.
type readAs struct {
	as  config
	raw map[string]json.RawMessage
}

// plainConfig is a config without its own way to be read and written.
type plainConfig config

// UnmarshalJSON implements json.Unmarshaler.
func (c *config) UnmarshalJSON(data []byte) error {
	var plain plainConfig
	read := &readAs{raw: map[string]json.RawMessage{}}
	if err := json.Unmarshal(data, &plain); err != nil {
		return err
	}
	if err := json.Unmarshal(data, &read.raw); err != nil {
		return err
	}
	read.as = config(plain)
	*c = config(plain)
	c.read = read
	return nil
}

// MarshalJSON implements json.Marshaler.
func (c config) MarshalJSON() ([]byte, error) {
	parts := map[string]json.RawMessage{}
	now, err := json.Marshal(plainConfig(c))
	if err == nil {
		err = json.Unmarshal(now, &parts)
	}
	if err != nil || c.read == nil {
		return now, err
	}
	names := fieldNames()
	for name, raw := range c.read.raw {
		field, known := names[name]
		if !known || reflect.DeepEqual(reflect.ValueOf(c).Field(field).Interface(), reflect.ValueOf(c.read.as).Field(field).Interface()) {
			parts[name] = raw
		}
	}
	return json.Marshal(parts)
}

// fieldNames are the names in the file by the index of their field.
func fieldNames() map[string]int {
	names := map[string]int{}
	t := reflect.TypeFor[config]()
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" {
			names[name] = i
		}
	}
	return names
}
