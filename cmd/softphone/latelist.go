package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
)

// withLater is a list as it is to be written: to each row comes what the file has in the row of the same key and this version of the
// phone does not know. A newer version wrote it, and finds it again (see config.MarshalJSON for the settings).
func withLater[T any](path, key string, rows []T) (any, error) {
	var old []map[string]json.RawMessage
	if data, err := os.ReadFile(path); err != nil || json.Unmarshal(data, &old) != nil {
		return rows, nil // there is nothing to keep
	}
	known := jsonNames(reflect.TypeFor[T]())
	later := map[string]map[string]json.RawMessage{}
	for _, row := range old {
		for name, raw := range row {
			if !known[name] {
				id := string(row[key])
				if later[id] == nil {
					later[id] = map[string]json.RawMessage{}
				}
				later[id][name] = raw
			}
		}
	}
	if len(later) == 0 {
		return rows, nil
	}
	all := make([]map[string]json.RawMessage, len(rows))
	for i, row := range rows {
		data, err := json.Marshal(row)
		if err == nil {
			err = json.Unmarshal(data, &all[i])
		}
		if err != nil {
			return nil, err
		}
		for name, raw := range later[string(all[i][key])] {
			all[i][name] = raw
		}
	}
	return all, nil
}

// jsonNames are the names of a type's fields in a file.
func jsonNames(t reflect.Type) map[string]bool {
	names := map[string]bool{}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			names[name] = true
		}
	}
	return names
}
