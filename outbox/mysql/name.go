package mysql

// Name is what the others call this process: Machine.Name.
func (s *Store) Name() string { return s.lease.owner }

// Name is what the others call this process: Machine.Name.
func (m *Member) Name() string { return m.presence.name }

// Passes tells whether what Join and Open return may pass by itself: the server does not answer, or takes no writes.
func Passes(err error) bool { return passes(err) }
