package ng

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// encode appends v, which is a string, an int, a list ([]string) or a dictionary (Options, map[string]any).
func encode(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		b = strconv.AppendInt(b, int64(len(v)), 10)
		return append(append(b, ':'), v...), nil
	case int:
		b = strconv.AppendInt(append(b, 'i'), int64(v), 10)
		return append(b, 'e'), nil
	case []string:
		b = append(b, 'l')
		for _, one := range v {
			b, _ = encode(b, one)
		}
		return append(b, 'e'), nil
	case Options:
		return encode(b, map[string]any(v))
	case map[string]any:
		b = append(b, 'd')
		for _, key := range slices.Sorted(maps.Keys(v)) {
			var err error
			b, _ = encode(b, key)
			if b, err = encode(b, v[key]); err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
		}
		return append(b, 'e'), nil
	}
	return nil, fmt.Errorf("bencode: %T", v)
}

var errBencode = errors.New("bencode: broken")

const deepest = 32 // of lists and dictionaries within each other

// decode reads one value: string, int, []any or map[string]any, and gives what follows it.
func decode(b []byte, depth int) (any, []byte, error) {
	switch {
	case len(b) == 0 || depth > deepest:
		return nil, nil, errBencode
	case b[0] == 'i':
		n, rest, err := number(b[1:], 'e')
		return n, rest, err
	case b[0] == 'l':
		return decodeList(b[1:], depth)
	case b[0] == 'd':
		return decodeDictionary(b[1:], depth)
	}
	n, rest, err := number(b, ':')
	if err != nil || n < 0 || n > len(rest) {
		return nil, nil, errBencode
	}
	return string(rest[:n]), rest[n:], nil
}

func decodeList(b []byte, depth int) (any, []byte, error) {
	list := []any{}
	for len(b) > 0 && b[0] != 'e' {
		one, rest, err := decode(b, depth+1)
		if err != nil {
			return nil, nil, err
		}
		list, b = append(list, one), rest
	}
	if len(b) == 0 {
		return nil, nil, errBencode
	}
	return list, b[1:], nil
}

func decodeDictionary(b []byte, depth int) (any, []byte, error) {
	all := map[string]any{}
	for len(b) > 0 && b[0] != 'e' {
		key, rest, err := decode(b, depth+1)
		name, ok := key.(string)
		if err != nil || !ok {
			return nil, nil, errBencode
		}
		if all[name], b, err = decode(rest, depth+1); err != nil {
			return nil, nil, err
		}
	}
	if len(b) == 0 {
		return nil, nil, errBencode
	}
	return all, b[1:], nil
}

// number reads digits up to end.
func number(b []byte, end byte) (int, []byte, error) {
	at := slices.Index(b[:min(len(b), 20)], end)
	if at < 0 {
		return 0, nil, errBencode
	}
	n, err := strconv.Atoi(string(b[:at]))
	if err != nil {
		return 0, nil, errBencode
	}
	return n, b[at+1:], nil
}
