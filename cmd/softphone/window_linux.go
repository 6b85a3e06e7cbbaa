package main

// appBrowsers can open a page in a window without tabs and address; the first that is there is taken.
func appBrowsers() [][]string {
	return [][]string{{"google-chrome-stable"}, {"google-chrome"}, {"chromium"}, {"chromium-browser"}, {"microsoft-edge-stable"}, {"microsoft-edge"}, {"brave-browser"}, {"vivaldi-stable"}}
}
