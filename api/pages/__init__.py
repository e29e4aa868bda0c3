"""The web: pages rendered on the server, for phones first. They work without scripts; live.js only keeps them fresh."""
