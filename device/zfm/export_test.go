package zfm

// Closing is closed when Close was called, before the call under way has ended.
func (m *Module) Closing() <-chan struct{} { return m.ctx.Done() }
