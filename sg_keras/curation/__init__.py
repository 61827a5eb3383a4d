"""Data sets from people's images: conversion, audit, curation. Nothing here prints, knows flags or loads TensorFlow."""
