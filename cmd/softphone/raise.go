package main

import "strings"

// oursIs says whether a browser's window shows the phone's page, by the window's title: that of the page, mostly with the browser's name
// behind it. See static/js/main.js.
func oursIs(title string) bool {
	for _, sep := range []string{" - ", " — ", " – "} { // Chromium's, Firefox's
		if page, _, ok := strings.Cut(title, sep); ok && oursIs(page) {
			return true
		}
	}
	return title == "Zaseki" || strings.HasSuffix(title, "· Zaseki") || strings.HasPrefix(title, "(") && strings.HasSuffix(title, ") Zaseki") ||
		strings.HasPrefix(title, "☎ ")
}

// raise brings the page that is open to the front, where the desktop lets a program do that. Where it does not, or the page lies in a tab
// behind another one, nothing happens: the notification says who calls, and no second page is opened over the first.
func (p *phone) raise() {
	if p.cfg.raise == nil {
		return
	}
	if err := p.cfg.raise(oursIs); err != nil {
		p.log.Debug("the page is not brought to the front", "err", err)
	}
}

// raiseOr brings the page that is open to the front, or opens one.
func (p *phone) raiseOr(open func()) {
	news, stop := p.agent.Watch()
	pages := (<-news).Pages
	stop()
	if pages > 0 && p.cfg.raise != nil && p.cfg.raise(oursIs) == nil {
		return
	}
	open()
}
