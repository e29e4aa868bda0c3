"""Telling people: the rows of `delivery` become messages in their language, over the channels that they have.

message    what is said, with as little about a person as will do
sender     one message over one channel, through Apprise; says why it failed and whether a retry helps
outbox     claims due deliveries, sends them side by side, writes the log of attempts
"""
