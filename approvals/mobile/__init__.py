"""The pages that members open on their phones, inside WeCom: what waits for them, and one approval to decide on.

Phone first, and without JavaScript. GET never acts; what is done is done by the engine, which decides about rights.
"""
