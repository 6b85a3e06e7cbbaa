package roster

// Shown is the status that others see: that of a call covers what the agent chose.
func (a Agent) Shown() string {
	status, _ := a.shown()
	return status
}
