"""The watcher is watched: the services look at each other, and tell the operator when one fails.

signs      pure: from what was seen to what is wrong
look       asks the database what is to be seen
operator   tells people, over channels that need no database
guard      the thread of a service: look, tell once, tell the end
beat       "all is well, 3,012 homes watched, 14 not"
"""
