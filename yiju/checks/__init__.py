"""`make check`: what no linter knows. Each module looks at one thing and returns sentences, one a fault."""
