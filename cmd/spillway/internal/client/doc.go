// Package client is what spillway's commands know of a server: where it is, the token it wants, its answers, and what to do
// when it gives none.
//
//	c, err := client.New("http://127.0.0.1:7878", "")
//	answer, err := c.Publish(ctx, events, client.Retries{For: time.Minute})
//
// Events are sent with their ids, so that a batch whose answer was lost can be sent again: the server has each of them once.
package client
