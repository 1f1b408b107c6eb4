"""Job messages, attempts and what is recorded of them: pure, standard library only."""
