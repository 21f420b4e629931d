package server

// Routes are the method and path of each route.
func (s *Server) Routes() (all []string) {
	for _, r := range s.routes() {
		all = append(all, r.method+" "+r.path)
	}
	return all
}
