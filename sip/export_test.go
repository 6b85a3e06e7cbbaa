package sip

// ForgetServers ends every penalty, as five minutes would.
func (p *Phone) ForgetServers() { p.names.Forget() }
