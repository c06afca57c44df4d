"""The part of the cloudevents package that functions use, for those that do not install it."""
