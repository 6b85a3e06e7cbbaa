package wire

import (
	"net/url"
	"strings"
	"testing"
)

func TestACustomerPageIsWhereTheTemplateSaysWhoeverCalls(t *testing.T) {
	const query = "https://crm.example/open?tel={caller}&to={called}&id={callId}&who={account}"
	if page, _ := (CRM{Call: "https://crm.example/?by={queue}&to={called}"}).Page(CRMCall{Called: "0398765432", Queue: "新規 & VIP"}); page != "https://crm.example/?by=%E6%96%B0%E8%A6%8F%20%26%20VIP&to=0398765432" {
		t.Errorf("the number that was called, and the queue: %q", page)
	}
	for _, row := range []struct{ template, caller, page string }{
		{query, "0312345678", "https://crm.example/open?tel=0312345678&to=7000&id=c1&who=sato"},
		{query, "+81312345678", "https://crm.example/open?tel=%2B81312345678&to=7000&id=c1&who=sato"},
		{query, "a&who=admin", "https://crm.example/open?tel=a%26who%3Dadmin&to=7000&id=c1&who=sato"},
		{query, "x#top", "https://crm.example/open?tel=x%23top&to=7000&id=c1&who=sato"},
		{query, "100%25", "https://crm.example/open?tel=100%2525&to=7000&id=c1&who=sato"},
		{query, "佐藤 \u202e", "https://crm.example/open?tel=%E4%BD%90%E8%97%A4%20%E2%80%AE&to=7000&id=c1&who=sato"},
		{query, "\"'><script>\r\nLocation: x", "https://crm.example/open?tel=%22%27%3E%3Cscript%3E%0D%0ALocation%3A%20x&to=7000&id=c1&who=sato"},
		{query, "\xff\x00", "https://crm.example/open?tel=%FF%00&to=7000&id=c1&who=sato"},
		{query, "{called}{account}", "https://crm.example/open?tel=%7Bcalled%7D%7Baccount%7D&to=7000&id=c1&who=sato"},
		{"https://crm.example/{caller}/card", "../../admin", "https://crm.example/..%2F..%2Fadmin/card"},
		{"https://crm.example/{caller}/card", "..", "https://crm.example//card"},
		{"https://crm.example/{caller}/card", ".", "https://crm.example//card"},
		{"http://crm.example:8080/#/customer/{caller}", "0900", "http://crm.example:8080/#/customer/0900"},
		{"https://crm.example/", "0900", "https://crm.example/"}, // no hole is no fault
		{query, strings.Repeat("9", 3000), ""},
		{"https://{caller}/", "evil.example", ""}, {"https://crm.example{caller}/", ".evil.example", ""}, {"https://{caller}@crm.example/", "x", ""},
		{"https://crm.example:{caller}/", "81", ""}, {"{caller}", "https://evil.example/", ""}, {"{caller}://crm.example/", "javascript", ""},
		{"javascript:alert('{caller}')", "x", ""}, {"file:///etc/{caller}", "passwd", ""}, {"//crm.example/{caller}", "x", ""}, {"", "x", ""},
		{"https://user:pw@crm.example/{caller}", "x", ""}, {"https://crm.example/%zz{caller}", "x", ""},
	} {
		page, ok := CRM{Call: row.template}.Page(CRMCall{Caller: row.caller, Called: "7000", ID: "c1", Account: "sato"})
		if page != row.page || ok != (row.page != "") {
			t.Errorf("%s with %q: %q, %v", row.template, row.caller, page, ok)
		}
	}
}

// FuzzCRM: the server is the template's, and the query has the holes that it had.
func FuzzCRM(f *testing.F) {
	f.Add("0312345678", "c1")
	f.Add("a&b=c#d?e/../f", "%2e%2e")
	f.Fuzz(func(t *testing.T, caller, id string) {
		page, ok := CRM{Call: "https://crm.example/a/{callId}/b?tel={caller}&z=1"}.Page(CRMCall{Caller: caller, ID: id})
		if !ok {
			return
		}
		u, err := url.Parse(page)
		if err != nil || u.Host != "crm.example" || u.Fragment != "" || len(u.Query()) != 2 || u.Query().Get("z") != "1" ||
			u.Query().Get("tel") != caller && strings.Trim(caller, ".") != "" || strings.Count(u.EscapedPath(), "/") != 3 {
			t.Errorf("%q, %q: %s", caller, id, page)
		}
	})
}
