package main

import "testing"

func TestThePagesWindowIsKnownByItsTitle(t *testing.T) {
	for title, want := range map[string]bool{
		"Zaseki": true, "Zaseki - Chromium": true, "Zaseki — Mozilla Firefox": true, "Available · Zaseki - Google Chrome": true, "(3) 受付可 · Zaseki - Microsoft\u200b Edge": true,
		"(2) Zaseki": true, "☎ Call from Yamada - Chromium": true, "☎ Yamada - Sales - Chromium": true, "☎ 山田 さんから着信": true,
		"zaseki at main - Code": false, "Zaseki handbook.pdf": false, "Customers of Zaseki Ltd. - CRM": false, "": false, " - ": false, "Inbox (2) - Mail": false,
	} {
		if oursIs(title) != want {
			t.Errorf("%q: %v", title, !want)
		}
	}
}
